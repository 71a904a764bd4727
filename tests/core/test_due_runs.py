"""Runs that were due: which were missed, and which proved what they are for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from docrag_ops.core.due_runs import Kept, Recorded, Schedule, missed, recorded, runs_kept, share_proven
from docrag_ops.core.entries import EntryState
from docrag_ops.core.verdicts import Verdict

NOW = datetime(2026, 6, 10, 23, 0, 4, tzinfo=UTC)
DAY = timedelta(days=1)
NINE = datetime(2026, 6, 10, 9, tzinfo=UTC)


def entry(*days_ago: float, cron: str = "0 9 * * *", first: float | None = 100, **keys: Any) -> Kept:
    """An entry that ran at nine so many days ago."""
    state = {name: keys.pop(name) for name in ("paused", "known") if name in keys}
    schedule = Schedule(entry="daily_x", cron=cron, **keys)
    return Kept(
        schedule=schedule,
        state=EntryState(name="daily_x", **{"known": True, **state}),
        runs=[Recorded(time=NINE - DAY * ago, verdict=Verdict.OK) for ago in days_ago],
        first_at=None if first is None else NINE - DAY * first,
    )


def missed_of(one: Kept, now: datetime = NOW) -> float | None:
    [measured] = missed([one], now=now)
    return measured.value


def test_run_that_was_done_is_not_missed():
    assert missed_of(entry(0)) == 0


def test_run_that_was_not_done_is_missed():
    assert missed_of(entry(1, 2)) == 1


def test_run_by_hand_counts_for_the_time_before_it():
    assert missed_of(entry(-0.2)) == 0


def test_run_that_may_still_come_is_not_missed():
    assert missed_of(entry(1), NINE + timedelta(minutes=20)) == 0
    assert missed_of(entry(1), NINE + timedelta(minutes=40)) == 1
    assert missed_of(entry(1, late_after=timedelta(hours=9)), NINE + timedelta(hours=8)) == 0


def test_run_before_the_entry_was_there_is_not_missed():
    assert missed_of(entry(0, first=0)) == 0


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (entry(paused=True), "paused: it does not run until somebody unpauses it"),
        (entry(first=None), "first run: it has left no report yet"),
        (entry(reports=False), "it leaves no report; the alert Watchdog ends when it does not run"),
    ],
)
def test_what_cannot_be_missed_is_named(one: Kept, reason: str):
    [measured] = missed([one], now=NOW)
    assert (measured.value, measured.not_judged) == (None, reason)


def test_entry_without_a_dag_is_a_problem():
    [measured] = missed([entry(0, known=False)], now=NOW)
    assert "does not know this DAG" in measured.problem


def test_weekly_entry_is_due_on_its_day_only():
    assert missed_of(entry(cron="0 6 * * 0")) == 0  # 10 June 2026 is a Wednesday
    assert missed_of(entry(cron="0 6 * * 3")) == 1


@pytest.mark.parametrize(
    ("run_id", "day"),
    [
        ("scheduled__2026-06-03T09:00:00+00:00", 3),
        ("manual__2026-06-03T09:00:00+00:00", 10),
        ("scheduled__someday", 10),
    ],
)
def test_scheduled_run_belongs_to_the_time_it_was_due(run_id: str, day: int):
    assert recorded(run_id, NOW).time.day == day


def test_share_of_kept_runs():
    kept = entry(*range(100))
    half = entry(*range(0, 100, 2))
    found = {one.subject: one for one in runs_kept([kept, half], (1, 30), first_at=NOW - 100 * DAY, now=NOW)}
    assert (found["1 day"].numerator, found["1 day"].denominator) == (2, 2)
    assert found["30 days"].value == pytest.approx(45 / 60)
    assert found["30 days"].evidence == "45 of 60 due runs; missed: daily_x 15"


def test_share_of_a_window_before_the_first_run_is_not_judged():
    [measured] = runs_kept([entry(*range(60), first=59)], (90,), first_at=NINE - 59 * DAY, now=NOW)
    assert measured.not_judged == "needs 90 days, has 59"


def test_day_without_a_run_proves_nothing():
    [measured] = share_proven(entry(0, 1, 2, 4, 5, 6), (7,), now=NOW)
    assert measured.value == pytest.approx(6 / 7)
    assert measured.evidence == "6 of 7 due runs proved it; not: 2026-06-07 no run"


@pytest.mark.parametrize(("verdict", "share"), [("ok", 1), ("warning", 1), ("unknown", 0), ("critical", 0)])
def test_only_what_did_not_fail_is_proven(verdict: str, share: float):
    one = Kept(
        schedule=Schedule(entry="daily_x", cron="0 9 * * *"),
        state=EntryState(name="daily_x", known=True),
        runs=[Recorded(time=NINE, verdict=Verdict(verdict))],
        first_at=NINE - DAY,
    )
    [measured] = share_proven(one, (1,), now=NOW)
    assert measured.value == share


def test_newest_run_of_a_day_counts():
    one = entry()
    runs = [
        Recorded(time=NINE, verdict=Verdict.CRITICAL),
        Recorded(time=NINE + timedelta(hours=2), verdict=Verdict.OK),
    ]
    mended = Kept(schedule=one.schedule, state=one.state, runs=runs, first_at=one.first_at)
    [measured] = share_proven(mended, (1,), now=NOW)
    assert measured.value == 1


def test_drill_that_may_still_run_leaves_yesterdays_result():
    """Due at 22:00, late at 05:00: at 23:00 the last day's result is that of yesterday."""
    one = entry(*range(1, 9), cron="0 9 * * *", late_after=timedelta(hours=15))
    [measured] = share_proven(one, (1,), now=NOW)
    assert (measured.value, measured.denominator) == (1, 1)
