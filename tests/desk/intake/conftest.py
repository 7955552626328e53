"""A desk on either database whose AmoCRM is nowhere, with a form of the site."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from desk.desk import Desk
from desk.intake import Form, Intake
from desk.intake.form_draft import FormDraft
from desk.settings import load
from tests.desk.web.conftest import INTAKE, NOWHERE

SITE = "https://fit.example"
LEAD = {"name": "Иван Иванов", "phone": "8 (999) 123-45-67", "message": "Хочу утром"}


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    settings = {"DATABASE_URL": store_url, "INTAKE_API_KEY": INTAKE, "INTAKE_ALLOWED_ORIGINS": "https://old.example"}
    opened = Desk(load(NOWHERE | settings, tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def intake(desk: Desk) -> Intake:
    return desk.intake


@pytest.fixture
def form(intake: Intake) -> Form:
    return intake.forms.add(FormDraft("Главная", "Сайт", (SITE,)))


def rows(desk: Desk, table: sa.Table) -> list[dict]:
    """All rows of a table."""
    with desk.store.read() as db:
        return [dict(row) for row in db.execute(sa.select(table)).mappings()]


def age(desk: Desk, table: sa.Table, column: str, by: timedelta) -> None:
    """Make every row of a table older."""
    with desk.store.write() as db:
        db.execute(table.update().values({column: datetime.now(UTC) - by}))
