"""The leads page over the mirror: what it shows, how it is filtered, what its address says, and its states."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from benchmarks.big_mirror import fill
from desk import phones
from desk.desk import install
from desk.listing import Filter, Sort, listing
from desk.listing.filters import fingerprint
from desk.mirror.rows import Rows
from desk.mirror.walks import FILL, LEADS
from desk.settings import PROJECT
from store.tables import accepted_leads, consents, deliveries, leads, mirror_walks, stage_changes, views
from tests.pages.conftest import RUN_S, shown
from tests.support.desks import desk_for
from ui.leads import filters

HOME = str(PROJECT / "pages" / "navigation.py")


@pytest.fixture(scope="module")
def opened(shared_box, tmp_path_factory):
    """A connected desk whose mirror holds four hundred leads. No test changes them."""
    shared_box.reset(leads=20)
    with desk_for(shared_box, tmp_path_factory.mktemp("club")) as desk:
        fill(desk.store, leads=400, contacts=300)
        yield desk


@pytest.fixture
def club(opened):
    """That desk, nobody's views in it, its mirror following."""
    with opened.store.write() as db:
        walks = [dict(row) for row in db.execute(sa.select(mirror_walks)).mappings()]
        db.execute(views.delete())
    install(opened)
    yield opened
    install(None)
    with Rows(opened.store).changing() as db:
        db.execute(mirror_walks.delete())
        db.execute(mirror_walks.insert(), walks)


def visit(**query):
    """A fresh visitor who opens this address."""
    app = AppTest.from_file(HOME, default_timeout=RUN_S)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def made(changed):
    """A widget changed: a run for that, which draws some parts of the page, and one that draws all of it to look at."""
    return changed.run().run()


def rows(app):
    return app.dataframe[0].value


def count(app):
    return int(re.search(r"\*\*([\d\u00a0]+)\*\* лид", shown(app)).group(1).replace("\u00a0", ""))


def address(app):
    return {name: sorted(values) if isinstance(values, list) else [values] for name, values in app.query_params.items()}


def total(desk, **chosen):
    return desk.listing.count(Filter(**chosen))


def test_it_shows_all_leads_without_asking(club, shared_box):
    """Every lead is counted, the newest fifty shown, with phone, stage and the link; AmoCRM is not asked."""
    before = shared_box.last_seq()
    app = visit()
    table = rows(app)
    assert not app.exception
    assert count(app) == total(club) > 390
    assert len(table) == 50
    assert table["created_at"].is_monotonic_decreasing
    assert table["url"].str.match(rf"^{shared_box.url}/leads/detail/\d+$").all()
    assert table["phone"].dropna().str.startswith("+7 ").mean() > 0.9
    assert table["stage"].map(len).eq(1).all()
    assert table["price_rub"].str.endswith(" ₽").all()
    assert [entry for entry in shared_box.ledger("request", since=before) if entry["path"].startswith("/api")] == []
    assert "По состоянию на" in shown(app)


def test_filters_stand_in_the_address_by_ids(club):
    """What is chosen is filtered at once and stands in the address, by ids, never by anybody's word."""
    app = visit()
    source = fingerprint("Сайт")
    made(app.multiselect(key="leads.source").set_value([source, "none"]))
    made(app.multiselect(key="leads.responsible").set_value([0]))
    made(app.selectbox(key="leads.period").set_value("180"))
    expected = {"source": (source, "none"), "responsible": (0,), "period": "180"}
    assert count(app) == total(club, **expected) if total(club, **expected) else "не подходит" in shown(app)
    assert address(app) == {"source": sorted([source, "none"]), "responsible": ["0"], "period": ["180"]}


def test_a_reload_brings_the_filters_back(club):
    """The same address opened by another visitor shows the same rows in the same order and columns."""
    app = visit()
    made(app.multiselect(key="leads.direction").set_value([fingerprint("Йога")]))
    made(app.selectbox(key="leads.sort").set_value("price_rub"))
    made(app.multiselect(key="leads.columns").set_value(["name", "price_rub", "task"]))
    made(app.segmented_control(key="leads.size").set_value(25))
    other = visit(**address(app))
    assert rows(other).equals(rows(app))
    assert list(rows(other).columns) == ["name", "price_rub", "task", "url"]
    assert len(rows(other)) == 25
    assert other.multiselect(key="leads.direction").value == [fingerprint("Йога")]


def test_another_period_leaves_the_other_filters(club):
    """Choosing a period changes the period."""
    app = visit(source=fingerprint("Сайт"), attention="no_task")
    made(app.selectbox(key="leads.period").set_value("90"))
    assert app.multiselect(key="leads.source").value == [fingerprint("Сайт")]
    assert app.multiselect(key="leads.attention").value == ["no_task"]


def test_a_change_draws_the_list_and_what_looks_different(club):
    """The first filter brings the button that clears it; another search draws nothing but the list; an own range its days."""
    app = visit()
    app.text_input(key="leads.search").set_value("ив").run()
    assert [button.key for button in app.button if button.key == "leads.clear"] == ["leads.clear"]
    app.run()
    app.text_input(key="leads.search").set_value("иван").run()
    assert (len(app.dataframe), list(app.button), list(app.text_input), list(app.multiselect)) == (1, [], [], [])
    app.run()
    app.selectbox(key="leads.period").set_value("own").run()
    assert app.date_input(key="leads.range").value
    assert app.text_input(key="leads.search").value == "иван"


def test_an_own_range_is_whole_days(club):
    """Two days chosen in the calendar are those two days and all between, on the club's clock."""
    zone = club.settings.zone
    app = visit()
    made(app.selectbox(key="leads.period").set_value("own"))
    until = datetime.now(zone).date() - timedelta(days=30)
    since = until - timedelta(days=200)
    made(app.date_input(key="leads.range").set_value((since, until)))
    with club.store.read() as db:
        created = db.scalars(sa.select(leads.c.created_at).where(leads.c.is_deleted.is_(False))).all()
    days = [datetime.fromtimestamp(at, UTC).astimezone(zone).date() for at in created]
    assert count(app) == sum(since <= day <= until for day in days) > 0
    assert address(app) == {"period": ["own"], "from": [since.isoformat()], "to": [until.isoformat()]}


def test_a_malformed_address_is_told_and_the_rest_holds(club):
    """What an address says wrongly is named in words; what it says rightly is applied."""
    app = visit(period="90", stage="nonsense", source=[fingerprint("Сайт"), "Сайт"], sort="-salary", page="-1")
    assert not app.exception
    warning = app.warning[0].value
    assert all(word in warning for word in ("этап", "источник", "сортировка", "номер страницы"))
    assert "период" not in warning
    assert count(app) == total(club, period="90", source=(fingerprint("Сайт"),))


def test_the_search_is_in_no_address(club):
    """By any spelling of a phone the one person is found; neither the phone nor a name gets into the address."""
    app = visit()
    phone = rows(app)["phone"].dropna().iloc[0].split(" ·")[0]
    digits = phones.normalise(phone)[2:]
    for typed in (phone, f"8{digits}", f"8 ({digits[:3]}) {digits[3:6]}-{digits[6:8]}-{digits[8:]}", digits[-7:]):
        made(app.text_input(key="leads.search").set_value(typed))
        assert set(rows(app)["phone"].str.split(" ·").str[0]) == {phone}
        assert address(app) == {}
    name = rows(app).iloc[0]["name"]
    made(app.text_input(key="leads.search").set_value(" ".join(reversed(name.upper().split()))))
    assert name in set(rows(app)["name"])
    assert address(app) == {}


@pytest.mark.parametrize("text", ["(", "[", "*", "\\", "<b>", "=1+1", "💥", "%", "' OR 1=1 --", "x" * 100])
def test_odd_searches_find_nothing_and_break_nothing(club, text):
    """Any text may be searched for; finding nothing says so and offers to clear the filters."""
    app = visit()
    made(app.text_input(key="leads.search").set_value(text))
    assert not app.exception
    assert not app.dataframe
    assert "не подходит ни один лид" in app.info[-1].value
    made(app.button(key="leads.clear").click())
    assert len(rows(app)) == 50


def test_the_order_is_of_the_whole_list(club):
    """Sorted by budget the dearest lead of all is first, not the dearest of the page."""
    app = visit()
    made(app.selectbox(key="leads.sort").set_value("price_rub"))
    with club.store.read() as db:
        dearest = db.scalar(sa.select(sa.func.max(leads.c.price_kop)).where(leads.c.is_deleted.is_(False)))
    assert rows(app).iloc[0]["price_rub"] == f"{dearest // 100:,} ₽".replace(",", "\u00a0")


def test_a_page_behind_the_end_is_the_last_one(club):
    """A list that has become shorter shows its last page."""
    app = visit(page="99")
    assert not app.exception
    assert len(rows(app)) == total(club) % 50 or len(rows(app)) == 50
    assert address(app)["page"] == [str(-(-total(club) // 50))]


def test_views_are_saved_opened_and_brought_back(club):
    """What is shown is saved under a name without the search, opens by its own address, and comes back after a deletion."""
    app = visit(source=fingerprint("Сайт"), sort="name")
    app.text_input(key="frame.person").set_value("Анна").run()
    made(app.text_input(key="leads.search").set_value("иван"))
    made(app.text_input(key="leads.view_name").set_value("Сайт по имени"))
    made(app.button(key="leads.view_save").click())
    (view,) = club.views.of("Анна")
    assert (view.name, view.owner, view.query) == (
        "Сайт по имени",
        "Анна",
        {"source": [fingerprint("Сайт")], "sort": ["name"]},
    )
    assert address(app) == {"view": [view.id]}
    assert "иван" not in json.dumps(view.query, ensure_ascii=False)

    other = visit(view=view.id)
    assert count(other) == total(club, source=(fingerprint("Сайт"),))
    assert other.selectbox(key="leads.sort").value == "name"
    assert f"leads.view.{view.id}" not in [button.key for button in other.button]  # it is Anna's own

    made(app.button(key="leads.view_share").click())
    assert club.views.get(view.id).is_shared
    made(app.text_input(key=f"leads.view_rename.{view.id}").set_value("Сайт"))
    made(app.button(key="leads.view_delete").click())
    assert club.views.get(view.id) is None
    made(app.button(key="leads.view_undo").click())
    assert club.views.get(view.id).name == "Сайт"
    assert visit(view="0123456789ab").warning[0].value.count("сохранённый вид") == 1


def test_a_nameless_view_is_not_saved(club):
    """A view without a name is told of where it is typed; nothing is saved."""
    app = visit()
    app.text_input(key="leads.view_name").set_value(" <> ").run()
    app.button(key="leads.view_save").click().run()
    assert "Назовите вид" in shown(app)
    assert club.views.of("") == []


def test_columns_are_one_persons_own(club):
    """What somebody looks at is there on the next visit, and on nobody else's."""
    app = visit()
    app.text_input(key="frame.person").set_value("Анна").run()
    made(app.multiselect(key="leads.columns").set_value(["name", "utm_campaign"]))
    assert club.views.columns_of("Анна") == ["name", "utm_campaign"]
    assert "utm_campaign" not in rows(visit())


def test_a_card_tells_everything(club):
    """The card has its own address: contact, phones, stages, task, delivery and consent of a lead that came through the desk."""
    row = club.listing.page(Filter(), Sort()).rows[5]
    at = datetime.now(UTC)
    with club.store.write() as db:
        lead = {"origin": "desk", "phone": "+79161112233", "direction": "Йога", "source": "Звонок", "extra": "{}"}
        db.execute(accepted_leads.insert().values(id="m" * 32, accepted_at=at, name="Мария", message="Вечером", entered_by="Анна", **lead))  # fmt: skip
        db.execute(deliveries.insert().values(lead_id="m" * 32, state="delivered", due_at=0.0, amo_lead_id=row.id, delivered_at=at))  # fmt: skip
        db.execute(consents.insert().values(lead_id="m" * 32, text_version="v7", given_at=at, form="Лендинг"))
        db.execute(leads.update().where(leads.c.id == row.id).values(marker="m" * 32, utm_source="yandex"))
        move = {"from_pipeline_id": row.pipeline_id, "from_status_id": row.status_id, "to_pipeline_id": row.pipeline_id}
        db.execute(stage_changes.insert().values(lead_id=row.id, at=row.created_at, to_status_id=142, **move))
    app = visit(lead=str(row.id))
    text = shown(app) + "\n".join(code.value for code in app.code)
    assert not app.exception
    assert row.contact_name in text.replace("\\", "")
    assert phones.display(row.phone) in text
    for told in ("→ Успешно реализовано", "yandex", "Анна", "Вечером", "v7", "Лендинг", "В AmoCRM"):
        assert told in text, told
    assert address(app) == {"lead": [str(row.id)]}


@pytest.mark.parametrize("lead", ["1", "999999999"])
def test_a_card_of_nobody_says_so(club, lead):
    """A number that is no lead here is an answer in words, and the list stands."""
    app = visit(lead=lead)
    assert not app.exception
    assert "Такого лида здесь нет" in shown(app)
    assert len(rows(app)) == 50


def say_walk(desk, name, **values):
    with Rows(desk.store).changing() as db:
        db.execute(mirror_walks.update().where(mirror_walks.c.name == name).values(**values))


def test_an_empty_mirror_says_what_happens_next(desk, unconnected_page):
    """Before the first reading the page says so, and leads to the connection where there is none."""
    app = unconnected_page
    assert not app.error
    assert "ещё не прочитаны" in app.info[-1].value
    assert not app.dataframe


@pytest.fixture
def unconnected_page(unconnected):
    return visit()


def test_filling_shows_how_far(club):
    """While the first reading goes on there are rows, their number so far, and the word that they are not all."""
    say_walk(club, FILL, as_of=None, done=250)
    app = visit()
    assert "прочитано 250" in app.info[-1].value
    assert len(rows(app)) == 50


def test_what_was_read_later_can_be_chosen(desk, monkeypatch):
    """A page opened while the first reading runs knows by itself that there are sources by now, and offers them when it is drawn."""
    monkeypatch.setattr(listing, "TEXTS_FRESH_S", -1.0)  # a reading's every step is looked at
    app = visit()
    assert app.multiselect(key="leads.source").options == []

    def knows():
        drawn = {filters.DRAWN: app.session_state[filters.DRAWN]}
        with monkeypatch.context() as patch:
            patch.setattr(filters.st, "session_state", drawn)
            return filters.has_new_choices()

    assert not knows()
    fill(desk.store, leads=60, contacts=30)
    say_walk(desk, LEADS, done=60)  # as a reading says that there is something new
    assert knows()
    app.run()
    assert len(app.multiselect(key="leads.source").options) > 1
    assert not knows()


def test_stale_says_since_when_and_why(club):
    """Numbers that are old are shown with a warning: since when, and what is wrong."""
    say_walk(club, LEADS, as_of=datetime.now(UTC) - timedelta(hours=2), reason="unreachable")
    app = visit()
    assert "не удалось опросить" in app.warning[-1].value
    assert len(rows(app)) == 50


def test_a_first_reading_that_cannot_begin_is_an_error(desk):
    """Failed looks like neither empty nor stale: an error with the reason and its remedy."""
    with desk.store.write() as db:
        db.execute(mirror_walks.insert().values(name=FILL, done=0, due_at=0.0, failures=1, reason="payment_required", lease_until=0.0))  # fmt: skip
    app = visit()
    assert "прочитать не удалось" in app.error[-1].value
    assert not app.dataframe


def test_an_account_without_leads_says_so(desk):
    """No leads at all is not an error."""
    fill(desk.store, leads=0, contacts=0)
    app = visit()
    assert not app.error
    assert "Лидов пока нет" in app.info[-1].value


def test_refresh_hurries_the_mirror(club):
    """The button makes the next round due now."""
    app = visit()
    made(app.button(key="leads.refresh").click())
    assert LEADS in club.mirror.walks.due()


def test_what_is_chosen_is_nobody_elses(club):
    """Two visitors on one desk: what one filters, searches and opens leaves the other's screen as it is."""
    mine, yours = visit(), visit()
    made(mine.text_input(key="leads.search").set_value("ив"))
    made(mine.multiselect(key="leads.source").set_value([fingerprint("Сайт")]))
    assert count(yours.run()) == total(club)
    assert yours.text_input(key="leads.search").value == ""
    assert address(yours) == {}
