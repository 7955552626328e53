"""The page New lead: the form an operator fills during a call, who the caller is, call-backs, and the call just saved."""
