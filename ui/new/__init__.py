"""The page New lead: the form of a call, the caller's card, call-backs, and the saved call.

    shown.py       the look-up of the typed number, as shown on the caller's card
    values.py      how each field begins, is kept, and is put into its widget
    draft.py       the session's memory of the call being typed, and its callbacks: keep, submit, undo, …
    form.py        draws the fields and the buttons
    caller.py      draws the caller's card
    panels.py      draws the script, the call-backs, today's entries
    saved_call.py  draws the call saved last

The drawing files call the draft; the draft knows none of them.
"""
