"""Certificates that live short, that are renewed late, and requests that belong to nobody."""

from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core import certificates
from docrag_ops.core.certificates import Issued, certificate_facts, request_facts

NOW = datetime(2026, 11, 25, 18, tzinfo=UTC)
DAY = timedelta(days=1)


def certificate(name: str = "x", **status: object):
    return certificate_facts({"metadata": {"namespace": "prod", "name": name}, "status": status or None})


def request(name: str, *conditions: tuple[str, str, str], **meta: object):
    listed = [{"type": kind, "status": status, "reason": reason} for kind, status, reason in conditions]
    return request_facts(
        {"metadata": {"namespace": "prod", "name": name, **meta}, "status": {"conditions": listed}}
    )


def issued(*found, requests=()) -> Issued:
    return Issued(certificates=found, requests=lambda: requests, now=NOW)


@pytest.mark.parametrize(
    ("life_days", "renewed_before_days", "early"),
    [
        (90, 30, True),
        (365, None, True),
        (63, None, True),
        (60, None, False),
        (90, 15, False),
        (1, None, False),
    ],
)
def test_days_are_the_measure_of_what_is_renewed_three_weeks_before_its_end(
    life_days, renewed_before_days, early
):
    end = NOW + 10 * DAY
    renewal = end - renewed_before_days * DAY if renewed_before_days else None
    assert certificates.is_renewed_early(end - life_days * DAY, end, renewal) is early


@pytest.mark.parametrize(("hours_left", "share"), [(20, 1), (8, 1), (4, 0.5), (0, 0), (-5, 0)])
def test_share_is_of_the_time_between_renewal_and_end(hours_left, share):
    end = NOW + timedelta(hours=hours_left)
    dates = (end - DAY, end, end - timedelta(hours=8))
    assert certificates.share_left("x", dates, NOW).value == share


def test_certificate_without_dates_is_a_problem_of_the_days_only():
    found = issued(certificate())
    (days,) = certificates.days_left(found)
    assert "it has no status" in days.problem
    assert list(certificates.window_left(found)) == []


def test_failed_request_of_nobodys_is_told_too():
    orphan = request("old-3", ("Ready", "False", "Failed"))
    (found,) = certificates.failed_attempts(issued(requests=[orphan]))
    assert (found.subject, found.value) == ("prod/old-3", 1)


@pytest.mark.parametrize(
    "conditions",
    [
        [("Ready", "False", "Pending")],
        [("Ready", "True", "Issued")],
        [("Denied", "False", "No")],
        [],
    ],
)
def test_request_that_is_under_way_or_done_has_not_failed(conditions):
    assert request("x-1", *conditions).failed == ""


@pytest.mark.parametrize(
    "conditions",
    [[("Ready", "False", "Failed")], [("Denied", "True", "Policy")], [("InvalidRequest", "True", "Usages")]],
)
def test_request_that_was_refused_has_failed(conditions):
    assert request("x-1", *conditions).failed


def test_ready_without_a_time_counts_from_the_creation():
    made = {"namespace": "prod", "name": "x", "creationTimestamp": "2026-11-25T17:00:00Z"}
    status = {"conditions": [{"type": "Ready", "status": "False", "reason": "DoesNotExist"}]}
    (found,) = certificates.not_ready_minutes(issued(certificate_facts({"metadata": made, "status": status})))
    assert found.value == 60
