"""The page New lead: the form of a call, the caller's card, call-backs, and the saved call.

shown.py, values.py ◄─ draft.py ◄─ form.py, caller.py, panels.py, saved_call.py
"""
