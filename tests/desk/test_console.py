"""What the console shows of the log."""

import logging
import re
from collections.abc import Iterator

import pytest

from desk import ROOMS, console
from ui.frame import frame

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ERROR {3}(\S+): (.*)\n")


@pytest.fixture
def quiet_rooms() -> Iterator[None]:
    """No logger of ours has been set up yet, and none stays so."""
    ours = [logging.getLogger(room) for room in ROOMS]
    former = [(logger, logger.handlers, logger.level, logger.propagate) for logger in ours]
    for logger in ours:
        logger.handlers, logger.propagate = [], True
    yield
    for logger, handlers, level, propagate in former:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.mark.parametrize("name", [
    frame.log.name, "ui.new.form", "desk.web.api", "desk.delivery.worker", "crm.door", "store.engine", "pages.leads", "dashboard",
])  # fmt: skip
def test_each_room_speaks_on_the_console(quiet_rooms, capsys, name):
    """A line of any room reaches the console once, with time, level and the logger's name."""
    console.set_up()
    console.set_up()
    logging.getLogger(name).error("a page failed")
    found = LINE.fullmatch(capsys.readouterr().err)
    assert found
    assert found.groups() == (name, "a page failed")


def test_other_peoples_loggers_are_left_alone(quiet_rooms):
    """The root's handlers, which other libraries speak through, stay as they are."""
    before = list(logging.getLogger().handlers)
    console.set_up()
    assert logging.getLogger().handlers == before
