"""Gains of statements between snapshots, with numbers that were worked out by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from docrag_ops.core.measurements import Measured, Measurement, TooLittle
from docrag_ops.core.performance import queries
from docrag_ops.core.performance.queries import Weeks, weeks_of
from docrag_ops.core.performance.snapshots import MOST_KEPT, Key, Snapshot, gains, snapshot_of

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
RESET = datetime(2026, 10, 1, tzinfo=UTC)


def snapshot(days_ago: float, stats_reset: datetime = RESET, dealloc: int = 0, **calls: int) -> Snapshot:
    """Statements `s1`, `s2` … with so many calls of 2 ms each."""
    rows = [
        row(int(name[1:]), number, stats_reset=stats_reset, dealloc=dealloc) for name, number in calls.items()
    ]
    return snapshot_of(rows, taken_at=NOW - timedelta(days=days_ago))


def row(query_id: int, calls: int, **more: Any) -> dict[str, Any]:
    return {
        "query_id": query_id,
        "user_id": 10,
        "database_id": 5,
        "query": f"SELECT {query_id}",
        "calls": calls,
        "total_ms": 2.0 * calls,
        "rows_count": calls,
        "blocks_hit": 0,
        "blocks_read": 3 * calls,
        "temp_blocks_written": 0,
        "stats_reset": RESET,
        "dealloc": 0,
        **more,
    }


def calls(*snapshots: Snapshot) -> dict[int, int]:
    return {key.query_id: one.calls for key, one in gains(snapshots).counters.items()}


def test_gain_is_the_difference_of_the_counters():
    assert calls(snapshot(7, s1=1000), snapshot(0, s1=1300)) == {1: 300}


def test_all_counters_gain_alike():
    [gained] = gains([snapshot(7, s1=1000), snapshot(0, s1=1300)]).counters.values()
    assert (gained.total_ms, gained.rows, gained.blocks_read) == (600, 300, 900)


def test_statement_that_is_new_counts_whole():
    assert calls(snapshot(7, s1=10), snapshot(0, s1=10, s2=40)) == {1: 0, 2: 40}


def test_same_text_of_another_role_or_database_is_another_statement():
    rows = [row(1, 5), row(1, 7, user_id=11), row(1, 9, database_id=6)]
    found = snapshot_of(rows, taken_at=NOW).counters
    assert {key: one.calls for key, one in found.items()} == {
        Key(1, 10, 5): 5,
        Key(1, 11, 5): 7,
        Key(1, 10, 6): 9,
    }


def test_statement_called_by_itself_and_within_a_function_is_summed():
    [found] = snapshot_of([row(1, 5), row(1, 7)], taken_at=NOW).counters.values()
    assert found.calls == 12


def test_reset_costs_what_came_after_the_last_snapshot_and_no_more():
    found = gains(
        [
            snapshot(7, s1=1000),
            snapshot(4, s1=1400),
            snapshot(3, NOW - timedelta(days=3, hours=1), s1=50),
            snapshot(0, NOW - timedelta(days=3, hours=1), s1=80),
        ]
    )
    assert [one.calls for one in found.counters.values()] == [400 + 50 + 30]
    assert len(found.resets) == 1


def test_reset_after_which_more_was_called_than_before_is_noticed():
    assert calls(snapshot(1, s1=10), snapshot(0, NOW, s1=500)) == {1: 500}


def test_counters_that_fell_without_a_new_stats_reset_are_a_crash():
    found = gains([snapshot(1, s1=100, s2=100), snapshot(0, s1=5, s2=7)])
    assert "2 of 2 counters fell" in found.resets[0]
    assert sum(one.calls for one in found.counters.values()) == 12


def test_one_statement_that_fell_began_again_by_itself():
    found = gains([snapshot(1, s1=100, s2=100, s3=100), snapshot(0, s1=5, s2=150, s3=150)])
    assert (found.resets, found.begun_again) == ((), 1)
    assert sum(one.calls for one in found.counters.values()) == 105


def test_evictions_are_counted_over_a_reset():
    before, after = snapshot(2, dealloc=5, s1=10), snapshot(1, dealloc=8, s1=20)
    assert gains([before, after, snapshot(0, NOW, dealloc=2, s1=1)]).evictions == 5


def full(days_ago: float, **more: int) -> Snapshot:
    """As many statements as a snapshot keeps, the least with 1,000 calls."""
    found = {f"s{1000 + number}": 1000 + number for number in range(MOST_KEPT - len(more))}
    return snapshot(days_ago, **found, **more)


def test_statement_that_enters_a_full_snapshot_is_counted_from_there():
    assert calls(full(2), full(1, s1=1500), full(0, s1=1700))[1] == 200


def test_statement_with_far_more_time_than_the_least_kept_is_new():
    assert calls(full(1), full(0, s1=20_000))[1] == 20_000


def weeks(*stored: Snapshot, live: Snapshot) -> Weeks:
    found = weeks_of(stored, live, {("role", 10): "app"})
    assert isinstance(found, Weeks)
    return found


def values(outcome: Any) -> list[Measurement]:
    assert isinstance(outcome, Measured)
    return list(outcome.measurements)


def test_week_begins_with_the_last_snapshot_that_is_a_week_old():
    found = weeks(
        snapshot(15, s1=1), snapshot(8, s1=2), snapshot(7.1, s1=3), snapshot(1, s1=4), live=snapshot(0, s1=9)
    )
    assert (found.this.days, found.before.days) == (7.1, 15 - 7.1)


def test_without_an_older_snapshot_the_week_is_shorter_and_says_so():
    found = weeks(snapshot(2, s1=0), live=snapshot(0, s1=900))
    [one] = values(queries.slow(found))
    assert "2.0 days: SELECT 1" in one.evidence
    assert queries.slower(found) == TooLittle("needs snapshots of two weeks, has 2.0 days")


def test_statement_that_was_called_less_than_a_hundred_times_is_not_slow():
    assert values(queries.slow(weeks(snapshot(7, s1=0), live=snapshot(0, s1=99)))) == []


def test_statement_is_named_with_its_role_and_its_database():
    [one] = values(queries.slow(weeks(snapshot(7, s1=0), live=snapshot(0, s1=100))))
    assert one.subject == "query 1 of app in database 5"
    assert one.value == 0.002


def test_load_is_busy_time_over_the_time_of_the_week():
    [one] = values(queries.load(weeks(snapshot(1, s1=0), live=snapshot(0, s1=21_600_000))))
    assert one.value == 0.5
