"""The pace: never more than seven in any second, evenly, live work first, for all processes on one database."""

import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import NotLetIn, NotSent
from crm.limiter import IDLE_CREDIT, SLOWEST_S, WINDOW_REQUESTS, Limiter, Pace, decide, slower
from store import StoreError

GAP_S = 1 / 6.7


def played(waits, gap_s=GAP_S, live=True):
    """The times at which turns are given to one caller that comes `waits` seconds after its last turn."""
    pace, now, given_at = Pace(), 1000.0, []
    for extra in waits:
        now += extra
        pause_s, pace = decide(pace, now, gap_s, live=live)
        while pause_s:
            now += pause_s
            pause_s, pace = decide(pace, now, gap_s, live=live)
        given_at.append(now)
    return given_at


def most_in_a_second(times):
    return max(sum(1 for other in times if start <= other < start + 1) for start in times)


@given(st.lists(st.floats(0, 0.6), min_size=8, max_size=60), st.floats(0.5, 7))
def test_never_more_than_seven_in_any_second(waits, rps):
    """However callers come and go, no second holds an eighth turn."""
    assert most_in_a_second(played(waits, 1 / rps)) <= WINDOW_REQUESTS


def test_the_set_pace_is_reached():
    """A caller that always has work gets 6.7 turns a second, within half a percent."""
    times = played([0.0] * 400)
    assert 400 / (times[-1] - times[0]) == pytest.approx(6.7, rel=0.02)


def test_late_threads_do_not_slow_the_product():
    """A thread that wakes up 20 ms late does not push all later turns back by 20 ms."""
    times = played([0.0, *[0.02] * 300])
    assert 301 / (times[-1] - times[0]) > 6.6


def test_a_set_back_clock_does_not_stop_everything():
    """When the machine's clock jumps back an hour, the next turn is given at once."""
    pace = Pace(sent=(5000.0,) * 7, next_at=5000.2)
    assert decide(pace, 1400.0, GAP_S, live=True)[0] == 0


def test_background_steps_back_for_live():
    """After live work had to wait, background work leaves it the next turns."""
    pace = Pace(next_at=10.1)
    pause_s, pace = decide(pace, 10.0, GAP_S, live=True)
    assert pause_s == pytest.approx(0.1)
    assert decide(pace, 10.1, GAP_S, live=False)[0] == pytest.approx(0.3)
    assert decide(pace, 10.1, GAP_S, live=True)[0] == 0


def test_a_429_is_learned_from():
    """Silence as long as AmoCRM asks, then wider gaps that narrow again."""
    pace = slower(Pace(), 100.0, GAP_S, 5.0)
    assert decide(pace, 100.0, GAP_S, live=True)[0] == pytest.approx(5.0)
    assert pace.gap_s == pytest.approx(GAP_S * 1.25)
    for _ in range(50):
        pace = slower(pace, 100.0, GAP_S, None)
    assert pace.gap_s == SLOWEST_S
    now = 200.0
    for _ in range(400):
        pause_s, pace = decide(pace, now, GAP_S, live=True)
        now += pause_s
    assert max(pace.gap_s, GAP_S) == pytest.approx(GAP_S)


def test_a_person_does_not_wait_five_minutes(store):
    """With a pause of 300 s somebody at a screen hears so at once."""
    limiter = Limiter(store, "account", rps=6.7)
    limiter.slow_down(300)
    with pytest.raises(NotLetIn) as raised:
        limiter.wait_turn(live=True)
    assert raised.value.code == "rate_limited"
    assert raised.value.retry_after_s == pytest.approx(300, abs=5)


def test_threads_share_one_pace(store):
    """Twenty threads with one or two limiters on one database never get more than seven turns in a second."""
    limiters, given_at = [Limiter(store, "account", rps=6.7) for _ in range(2)], []

    def work(limiter):
        limiter.wait_turn(live=True)
        with store.read() as db:
            given_at.append(store.clock(db))

    threads = [threading.Thread(target=work, args=(limiters[n % 2],)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given_at) == 20
    # 20 turns take at least 19 gaps, less those that an idle start has in hand.
    assert max(given_at) - min(given_at) >= (19 - IDLE_CREDIT) * GAP_S - 0.1


def test_live_threads_go_before_waiting_background_ones(sqlite_store):
    """Background callers that came first are overtaken by a live one."""
    limiter, order, started = Limiter(sqlite_store, "account", rps=2), [], threading.Barrier(6)

    def work(name, live):
        limiter.wait_turn(live=live)
        order.append(name)

    def background():
        started.wait()
        work("background", live=False)

    threads = [threading.Thread(target=background) for _ in range(5)]
    for thread in threads:
        thread.start()
    started.wait()
    work("live", live=True)
    for thread in threads:
        thread.join()
    assert "live" in order[:3]


def test_processes_share_one_pace(store, store_url):
    """Three processes on one database together stay at the pace of one."""
    program = (
        "import sys, time\nfrom crm.limiter import Limiter\nfrom store import Store\n"
        "store = Store(sys.argv[1]); limiter = Limiter(store, 'account', rps=6.7)\n"
        "for _ in range(5):\n    limiter.wait_turn(live=True); print(time.time(), flush=True)\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, store_url], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    times = sorted(float(line) for process in running for line in process.communicate(timeout=60)[0].split())
    assert len(times) == 15
    assert times[-1] - times[0] >= (14 - IDLE_CREDIT) * GAP_S - 0.1


def test_a_pace_that_cannot_be_read_for_a_moment_costs_no_turn(sqlite_store, monkeypatch):
    """The database is away twice: the turn is asked for again and given."""
    limiter, failures = Limiter(sqlite_store, "account", rps=7, wait=lambda seconds: None), []
    real = sqlite_store.write

    def write(**options):
        if len(failures) < 2:
            failures.append(1)
            raise StoreError("database_unreachable")
        return real(**options)

    monkeypatch.setattr(sqlite_store, "write", write)
    limiter.wait_turn(live=True)
    assert len(failures) == 2


@pytest.mark.parametrize("patience", ["DATABASE_PATIENCE_S", "LIVE_LONGEST_S"])
def test_waiting_for_a_turn_ends(sqlite_store, monkeypatch, patience):
    """No database, or nothing but others: after the time there is whoever waits hears that nothing was sent."""
    monkeypatch.setattr(f"crm.limiter.{patience}", -1.0)

    def write(**options):
        raise StoreError("database_unreachable")

    monkeypatch.setattr(sqlite_store, "write", write)
    with pytest.raises(NotSent) as raised:
        Limiter(sqlite_store, "account", rps=7).wait_turn(live=True)
    assert raised.value.code == "no_turn"


def test_a_429_that_cannot_be_written_down_is_still_a_429(sqlite_store, monkeypatch):
    """Slowing down is for those who come later; whoever was refused hears why, whatever the database does."""

    def write(**options):
        raise StoreError("database_unreachable")

    monkeypatch.setattr(sqlite_store, "write", write)
    Limiter(sqlite_store, "account", rps=7).slow_down(1.0)
