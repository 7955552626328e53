"""The page Leads: the list, its filters and their address, the card, saved views, exports.

chosen.py       filters, order, columns and page as a value. Pure
widgets.py      the widgets' state: keys, values, changes
address.py      the address, read into the widgets and written by the list
filters.py      draws the filters, and redraws after a change
table.py        fetches and draws a page of the list, polls for news
card.py         the card of a lead
saved_views.py  views under a name
export.py       the list as a file
"""
