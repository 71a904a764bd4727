"""Which findings are open: opened, kept and resolved."""

from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.alerts import OpenFinding
from docrag_ops.core.findings import Finding, NotJudged
from docrag_ops.core.open_findings import seen_in, settle, why_resolved
from docrag_ops.core.results import AreaResult, merge
from docrag_ops.core.verdicts import Verdict

NOW = datetime(2026, 7, 2, 9, 0, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
AREAS = {"redis_memory": "redis", "pod_restarts": "cluster"}


def found(check: str, subject: str, verdict: Verdict) -> Finding:
    return Finding(
        check=check, subject=subject, verdict=verdict, remedy="mend it", runbook="docs/runbooks.md#x"
    )


def opened(check: str = "redis_memory", subject: str = "cache", severity: str = "critical", scope: str = ""):
    return OpenFinding(
        environment="prod",
        scope=scope,
        area=AREAS.get(check, "maintenance"),
        check=check,
        subject=subject,
        severity=severity,
        entry="daily_health_check",
        run_id="yesterday",
        first_seen_at=YESTERDAY,
        ends_at=NOW + timedelta(minutes=30),
        record_id=7,
    )


def seen(
    *findings: Finding, not_judged=(), unjudged=(), not_wanted=None, areas=None, recorded=None, entry=""
):
    area = AreaResult(area="any", findings=findings, not_judged=not_judged)
    result = merge([area], environment="prod", entry=entry or "daily_health_check", run_id="today")
    return seen_in(
        result,
        recorded=findings if recorded is None else recorded,
        unjudged=unjudged,
        areas=AREAS if areas is None else areas,
        not_wanted=not_wanted or {},
    )


def settled(run, *known: OpenFinding):
    return settle(run, known, now=NOW, ends_at=NOW + timedelta(days=1), link="http://airflow/run")


OK, WARNING, UNKNOWN, CRITICAL = Verdict
GOOD = found("redis_memory", "cache", OK)
NOT_JUDGED = NotJudged(check="redis_memory", subject="all", reason="no traffic")


def test_finding_that_is_there_again_stays_open():
    assert why_resolved(opened(), seen(found("redis_memory", "cache", CRITICAL))) == ""


def test_subject_that_is_within_its_limits_again_is_resolved():
    assert "within its limits" in why_resolved(opened(), seen(GOOD))


def test_subject_that_is_gone_is_resolved():
    assert why_resolved(opened(subject="old-pod"), seen(GOOD))


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(seen(found("redis_memory", "all", UNKNOWN)), id="the check was not answered"),
        pytest.param(seen(found("pod_restarts", "pod", OK)), id="the check was not asked"),
        pytest.param(seen(not_judged=[NOT_JUDGED]), id="the check was not judged"),
        pytest.param(seen(GOOD, unjudged={("redis_memory", "cache")}), id="the subject had no baseline"),
        pytest.param(
            seen(found("redis_memory", "cache", UNKNOWN), unjudged={("redis_memory", "cache")}),
            id="the subject was not measured",
        ),
        pytest.param(seen(found("task_left_findings", "check_redis", UNKNOWN)), id="the task was killed"),
    ],
)
def test_finding_that_could_not_be_measured_stays_open(run):
    assert why_resolved(opened(), run) == ""


def test_unknown_is_resolved_when_it_is_measured_again():
    assert why_resolved(opened(subject="all", severity="unknown"), seen(GOOD))


def test_other_severity_resolves_the_old_alert_and_keeps_its_age():
    result = settled(seen(found("redis_memory", "cache", WARNING)), opened())
    assert result.over == {7: "it is warning now"}
    assert [(one.severity, one.first_seen_at) for one in result.opened] == [("warning", YESTERDAY)]


def test_subject_that_turned_unknown_is_open_beside_what_was_known():
    run = seen(found("redis_memory", "cache", UNKNOWN), unjudged={("redis_memory", "cache")})
    result = settled(run, opened())
    assert result.over == {}
    assert [one.severity for one in result.opened] == ["unknown"]


def test_check_that_is_exempt_now_is_resolved_with_the_reason():
    run = seen(not_judged=[NOT_JUDGED], not_wanted={"redis_memory": "holds queues only"})
    assert why_resolved(opened(), run) == "holds queues only"


def test_check_that_does_not_exist_any_more_is_resolved():
    assert why_resolved(opened(), seen(found("pod_restarts", "pod", OK), areas={"pod_restarts": "cluster"}))


def test_what_history_has_of_an_earlier_try_is_not_seen():
    stale = found("pod_restarts", "pod", CRITICAL)
    assert seen(GOOD, recorded=[stale]).bad == {}


def test_finding_beyond_what_the_report_shows_is_seen():
    pods = [found("pod_restarts", f"pod-{number}", CRITICAL) for number in range(300)]
    run = seen(*pods[:50], recorded=pods)
    assert why_resolved(opened("pod_restarts", "pod-299"), run) == ""
    assert len(settled(run).opened) == 50


def test_trouble_of_an_entry_is_resolved_by_its_own_next_run_only():
    trouble = opened("task_left_findings", "check_redis", "unknown", scope="daily_health_check")
    assert why_resolved(trouble, seen(GOOD, entry="weekly_capacity_planning")) == ""
    assert why_resolved(trouble, seen(GOOD))


def test_trouble_of_two_entries_is_not_mixed_up():
    run = seen(found("task_left_findings", "check_redis", UNKNOWN), entry="weekly_capacity_planning")
    trouble = opened("task_left_findings", "check_redis", "unknown", scope="daily_health_check")
    assert why_resolved(trouble, run) == ""
    assert [one.scope for one in settled(run, trouble).opened] == ["weekly_capacity_planning"]


def test_finding_that_is_there_again_says_what_it_is_now():
    again = settled(seen(found("redis_memory", "cache", CRITICAL)), opened()).seen[7]
    assert again["run"] == "http://airflow/run"
