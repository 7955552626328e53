"""Figures over the mirror: the definitions and the counting, without the drawing.

periods   days, weeks, months, the period before
hours     the club's working hours
read      what is taken from the tables
speed, funnel, attention, overview   one kind of figure each, and all of them together
reports   the door: the same question is counted once
"""

from desk.reports import periods
from desk.reports.attention import WaitingLead
from desk.reports.funnel import Funnel
from desk.reports.hours import DAY_MIN, ClubHours, Span
from desk.reports.overview import Column, Overview, Slice
from desk.reports.reports import Ask, Reports
from desk.reports.speed import WITHIN_MIN

__all__ = [
    "DAY_MIN",
    "WITHIN_MIN",
    "Ask",
    "ClubHours",
    "Column",
    "Funnel",
    "Overview",
    "Reports",
    "Slice",
    "Span",
    "WaitingLead",
    "periods",
]
