"""Figures over the mirror: what they count and how, without a word about how they are drawn.

periods   days, weeks, months, the period before
hours     the club's working hours
read      what is taken from the tables
speed, funnel, attention, overview   one kind of figure each, and all of them together
reports   the door: the same question is counted once
"""

from desk.reports.reports import Ask, Reports

__all__ = ["Ask", "Reports"]
