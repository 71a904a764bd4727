"""The calendar's own health."""

from datetime import timedelta

from docrag_ops.core.entries import EntryState, overdue_minutes, paused
from tests.core.making import NOW


def test_runbook_is_never_overdue():
    assert [one.value for one in overdue_minutes([EntryState(name="runbook_x", known=True)], NOW)] == [0]


def test_run_that_is_due_is_late_by_minutes():
    state = EntryState(name="daily", known=True, next_run_at=NOW - timedelta(minutes=42))
    assert [one.value for one in overdue_minutes([state], NOW)] == [42]


def test_run_that_comes_is_not_late():
    state = EntryState(name="daily", known=True, next_run_at=NOW + timedelta(minutes=42))
    assert [one.value for one in overdue_minutes([state], NOW)] == [0]


def test_entry_that_airflow_does_not_know_has_no_measurement():
    for question in (paused, overdue_minutes):
        assert [one.problem[:30] for one in question([EntryState(name="x", known=False)], NOW)] == [
            "Airflow does not know this DAG"
        ]
