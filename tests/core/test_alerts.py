"""What Alertmanager is told of an open finding, and until when."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from docrag_ops.core.alerts import expected_until, watchdog
from tests.core.test_open_findings import NOW, YESTERDAY, opened


def test_alert_has_the_labels_that_routes_need():
    alert = opened().to_alert(now=NOW)
    assert alert["labels"] == {
        "alertname": "redis_memory",
        "environment": "prod",
        "area": "redis",
        "subject": "cache",
        "severity": "critical",
    }
    assert (alert["startsAt"], alert["endsAt"]) == (YESTERDAY.isoformat(), "2026-07-02T09:30:00+00:00")


def test_open_finding_of_an_entry_that_is_overdue_does_not_end():
    late = replace(opened(), ends_at=YESTERDAY)
    assert datetime.fromisoformat(late.to_alert(now=NOW)["endsAt"]) > NOW


def test_resolved_finding_has_ended():
    assert replace(opened(), resolved_at=NOW).to_alert(now=NOW)["endsAt"] == NOW.isoformat()


@pytest.mark.parametrize("next_due", [None, YESTERDAY])
def test_entry_without_a_next_run_is_expected_within_a_day(next_due):
    ends_at = expected_until(now=NOW, next_due=next_due, late_after=timedelta(minutes=30))
    assert ends_at == NOW + timedelta(days=1)


def test_watchdog_outlives_two_runs_of_deliver_alarms():
    ends_at = datetime.fromisoformat(watchdog(now=NOW, link="")["endsAt"])
    assert ends_at - NOW > timedelta(minutes=10)
