"""A local AmoCRM: answers over HTTP the way the real AmoCRM does, the unpleasant parts first.

Nothing here is imported by the product, and nothing here imports the product: this room talks HTTP, like AmoCRM.
"The sheet" in comments is the team's AmoCRM fact sheet; the letter beside a section is its confidence mark
(D documented, O official client code, T third party, L seen live, U unverified: our choice).

How a request travels, and where each step lives:

    arrival        server.py     uvicorn reads it from the socket
       │           journey.py    the road itself; control calls (/_sandbox/…) leave it here → control/
    ledger         ledger.py     when it came, what it carried
       │
    block, limiter limiter.py    403 page for a blocked account, 429 for the eighth request in a second
       │
    faults         faults.py     what a test asked to go wrong: cut, stall, lie
       │
    auth           oauth/        whose token this is, and whether it still lives
       │
    route          api/routes.py which function answers
       │
    validation     api/…         refuses whole requests with `validation-errors`
       │
    store          store/        one transaction; nothing of a refused request stays
       │           changes.py    what changed → events, hooks, ledger
    envelope       api/listing.py `_links`, `_page`, `_embedded`
       │
    answer         answers.py    exact status, content type and body → wire.py, or cut.py where the connection must break
"""
