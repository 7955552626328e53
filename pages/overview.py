"""Overview: the number of leads, their origins, their progress, the speed of answers, and the waiting leads."""

from desk.desk import the_desk
from ui.overview.attention import attention
from ui.overview.choices import choose
from ui.overview.club_hours import club_hours
from ui.overview.figures import headline, losses, origins, trend
from ui.overview.funnels import funnels
from ui.overview.speed import hours, speed
from ui.overview.state import as_of_line, state

status = the_desk().mirror.status()
state(status)

if status.has_numbers:
    ask = choose()
    figures = the_desk().reports.overview(ask, status)
    as_of_line(the_desk().mirror.version())
    headline(figures)
    trend(figures)
    origins(figures)
    funnels(figures)
    speed(figures)
    hours(figures)
    losses(figures)
    attention(figures, ask, status)
club_hours()
