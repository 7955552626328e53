"""Keys at rest: rotated without losing the connection; a wrong one is refused at the start and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from crm import account
from crm.errors import SetupError
from desk.connection import DOUBLE_PRESS
from desk.settings import PROJECT, SETTINGS
from store import clock
from tests.support.desks import desk_for, settings_for

OLD, NEW = "a" * 40, "b" * 40


def command(*words, **settings):
    clean = {name: text for name, text in os.environ.items() if name not in SETTINGS}
    return subprocess.run(
        [sys.executable, *words], cwd=PROJECT, env=clean | settings, capture_output=True, text=True, timeout=120
    )


def rotate(box, url, **settings):
    return command("-m", "desk", "keys", "rotate", **settings_for(box, DATABASE_URL=url, **settings))


def stored(desk):
    return desk.connection._grant.row()["sealed_pair"]


def test_a_key_file_is_rotated_under_a_running_desk(box, tmp_path):
    """One command: new key, everything sealed anew, the old key gone; the running desk notices nothing."""
    url = f"sqlite:///{tmp_path}/data/desk.db"
    with desk_for(box, tmp_path, DATABASE_URL=url) as desk:
        before, key_file = stored(desk), tmp_path / "data" / "secret.key"
        old_key = key_file.read_text()
        done = rotate(box, url)
        assert (done.returncode, done.stderr) == (0, "")
        assert stored(desk) != before
        assert key_file.read_text() != old_key
        assert len(key_file.read_text().split()) == 1
        assert account.current(desk.client).name == "FitZone"
        desk.connection.refresh_now()
    with desk_for(box, tmp_path, connected=False, DATABASE_URL=url) as again:
        assert account.current(again.client).name == "FitZone"


def test_rotating_while_refreshing_loses_nothing(box, tmp_path):
    """Keys change three times while the pair is renewed again and again: at the end it still opens."""
    url = f"sqlite:///{tmp_path}/data/desk.db"
    with desk_for(box, tmp_path, DATABASE_URL=url) as desk:
        over, refreshed = threading.Event(), []

        def refresh():
            while not over.is_set():
                with clock.moved(
                    DOUBLE_PRESS * (len(refreshed) + 1)
                ):  # one refresh by hand is not two presses of a button
                    desk.connection.refresh_now(insists=True)
                refreshed.append(stored(desk))

        thread = threading.Thread(target=refresh)
        thread.start()
        results = [rotate(box, url).returncode for _ in range(3)]
        over.set()
        thread.join()
        assert results == [0, 0, 0]
        assert len(set(refreshed)) == len(refreshed) > 3
    with desk_for(box, tmp_path, connected=False, DATABASE_URL=url) as again:
        assert account.current(again.client).name == "FitZone"


def test_secret_key_is_rotated_in_two_steps(box, tmp_path):
    """The new key goes in front of the old one, the command seals anew, then the old one can go."""
    url = f"sqlite:///{tmp_path}/data/desk.db"
    with desk_for(box, tmp_path, DATABASE_URL=url, SECRET_KEY=OLD):
        pass
    alone = rotate(box, url, SECRET_KEY=OLD, UI_LANGUAGE="en")
    assert alone.returncode == 1
    assert "in front of the former one" in alone.stdout
    assert OLD not in alone.stdout
    both = rotate(box, url, SECRET_KEY=f"{NEW},{OLD}", UI_LANGUAGE="en")
    assert (both.returncode, both.stderr) == (0, "")
    with desk_for(box, tmp_path, connected=False, DATABASE_URL=url, SECRET_KEY=NEW) as again:
        assert account.current(again.client).name == "FitZone"
    with pytest.raises(SetupError), desk_for(box, tmp_path, connected=False, DATABASE_URL=url, SECRET_KEY=OLD):
        pass


def test_a_wrong_key_stops_the_start_and_loses_nothing(box, tmp_path):
    """`streamlit run` ends at once with a sentence and no traceback; with the right key all is there."""
    url = f"sqlite:///{tmp_path}/data/desk.db"
    with desk_for(box, tmp_path, DATABASE_URL=url, SECRET_KEY=OLD) as desk:
        before = stored(desk)
    settings = settings_for(box, DATABASE_URL=url, SECRET_KEY=NEW)
    started = command("-m", "streamlit", "run", "dashboard.py", "--server.port", "0", **settings)
    assert started.returncode == 2
    assert "SECRET_KEY не подходит к сохранённым ключам" in started.stderr
    assert "Traceback" not in started.stderr
    with desk_for(box, tmp_path, connected=False, DATABASE_URL=url, SECRET_KEY=OLD) as again:
        assert stored(again) == before
        assert account.current(again.client).name == "FitZone"


def test_wrong_settings_stop_the_start_with_all_faults(tmp_path):
    """Every fault by name on the console, in the language that is set, and exit status 2."""
    started = command(
        "-m", "streamlit", "run", "dashboard.py", "--server.port", "0",
        AMOCRM_SUBDOMAIN="https://fitzone.amocrm.ru", AMOCRM_CLIENT_ID="your_client_id", TIMEZONE="Mars", UI_LANGUAGE="en",
    )  # fmt: skip
    assert started.returncode == 2
    for name in ("AMOCRM_SUBDOMAIN", "AMOCRM_CLIENT_ID", "AMOCRM_CLIENT_SECRET", "TIMEZONE"):
        assert f"  {name}: " in started.stderr
    assert 'Did you mean "fitzone"' in started.stderr
    assert "Traceback" not in started.stderr


def test_check_config(box, tmp_path):
    """What the settings say, and 2 with every fault where they are wrong."""
    good = command("-m", "desk", "check-config", **settings_for(box, DATABASE_URL=f"sqlite:///{tmp_path}/x.db"))
    assert (good.returncode, good.stderr) == (0, "")
    assert box.url in good.stdout
    bad = command("-m", "desk", "check-config", TIMEZONE="Mars", UI_LANGUAGE="ru")
    assert bad.returncode == 2
    assert "TIMEZONE: неизвестный часовой пояс" in bad.stderr
