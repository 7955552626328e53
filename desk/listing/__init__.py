"""The leads of the mirror as a list: filter, order, count, a page, and the card of a lead.

filters.py     what a person chose, to and from an address: pure
search.py      what was typed into the search, to what is looked for: pure
conditions.py  the same as SQL
listing.py     the queries, and what they have answered for this version of the mirror
card.py        one lead with its history, contact, delivery and consent

No request to AmoCRM anywhere here.
"""

from desk.listing import filters, saved_views
from desk.listing.card import Card, CardPerson
from desk.listing.filters import Filter, Sort, from_json, from_query, to_json, to_query
from desk.listing.listing import Choices, LeadRow, Listing, Page, Reference
from desk.listing.search import LONGEST as LONGEST_SEARCH

__all__ = [
    "LONGEST_SEARCH",
    "Card",
    "CardPerson",
    "Choices",
    "Filter",
    "LeadRow",
    "Listing",
    "Page",
    "Reference",
    "Sort",
    "filters",
    "from_json",
    "from_query",
    "saved_views",
    "to_json",
    "to_query",
]
