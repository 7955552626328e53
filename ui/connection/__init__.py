"""The page Connection: the state of the grant, AmoCRM's hooks, the copy of AmoCRM."""
