"""Overview: how many leads, from where, how far they get, how soon they are answered, and which of them wait."""

from desk.desk import the_desk
from ui.overview import figures as view

status = the_desk().mirror.status()
view.state(status)

if status.has_numbers:
    ask = view.choose()
    figures = the_desk().reports.overview(ask, status)
    view.as_of_line(the_desk().mirror.version())
    view.headline(figures)
    view.trend(figures)
    view.origins(figures)
    view.funnels(figures)
    view.speed(figures)
    view.hours(figures)
    view.losses(figures)
    view.attention(figures, ask, status)
view.club_hours()
