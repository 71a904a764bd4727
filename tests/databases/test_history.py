"""The history on a real PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.errors import UnreachableError
from docrag_ops.core.findings import Finding
from docrag_ops.core.measurements import Measurement
from docrag_ops.core.results import AreaResult, merge
from docrag_ops.core.runs import RunKey
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks.history import HistoryHook

pytestmark = pytest.mark.sandbox
NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
HOSTILE = 'pod "x" it\'s 100% <b>\n\x00 \udcff \u202e'
Connect = Callable[..., None]


def run_of(run_id: str, request: pytest.FixtureRequest) -> RunKey:
    """A run in an environment of the test's own."""
    return RunKey(environment=request.node.name, entry="daily_health_check", run_id=run_id)


def record(run: RunKey, value: float | None, *, at: datetime = NOW, subject: str = "redis") -> None:
    sample = ("redis_evictions", "per_minute", Measurement(subject=subject, value=value, epoch="e"), None)
    HistoryHook().record_area(run, "redis", findings=[], samples=[sample], at=at)


def newest(run: RunKey, *subjects: str) -> dict[str, float | None]:
    found = HistoryHook().samples(run, latest={"redis_evictions": subjects}, daily={}, now=NOW)
    return {subject: samples[-1].value for subject, samples in found.get("redis_evictions", {}).items()}


def test_newest_sample_of_each_subject_is_found(connect_to: Connect, request):
    record(run_of("1", request), 5, at=NOW - timedelta(days=2))
    record(run_of("2", request), 7, at=NOW - timedelta(days=1))
    assert newest(run_of("3", request), "redis") == {"redis": 7}


def test_subjects_that_are_gone_are_not_read_again(connect_to: Connect, request):
    for number, subject in enumerate(("redis", "redis-2", "gone")):
        record(run_of(str(number), request), number, subject=subject)
    assert newest(run_of("now", request), "redis", "redis-2", "new") == {"redis": 0, "redis-2": 1}


def test_check_without_a_known_subject_has_its_newest_sample(connect_to: Connect, request):
    """So that a first run and a new subject are told apart, and it can be said until when something was there."""
    record(run_of("1", request), 5, subject="older", at=NOW - timedelta(days=2))
    record(run_of("2", request), 7, subject="newer", at=NOW - timedelta(days=1))
    assert newest(run_of("3", request), "new") == newest(run_of("3", request)) == {"newer": 7}


def test_run_never_compares_with_itself(connect_to: Connect, request):
    record(run_of("1", request), 5, at=NOW - timedelta(days=1))
    record(run_of("2", request), 9)
    assert newest(run_of("2", request), "redis") == {"redis": 5}


def test_cleared_task_replaces_what_it_recorded(connect_to: Connect, request):
    record(run_of("1", request), 5)
    record(run_of("1", request), 6)
    found = HistoryHook().samples(run_of("2", request), latest={}, daily={"redis_evictions": 7}, now=NOW)
    assert [sample.value for sample in found["redis_evictions"]["redis"]] == [6]


def test_days_of_a_baseline_are_found_oldest_first(connect_to: Connect, request):
    for days in (1, 3, 20):
        record(run_of(str(days), request), days, at=NOW - timedelta(days=days))
    found = HistoryHook().samples(run_of("now", request), latest={}, daily={"redis_evictions": 7}, now=NOW)
    assert [sample.value for sample in found["redis_evictions"]["redis"]] == [3, 1]


def test_other_environment_is_no_history(connect_to: Connect, request):
    record(RunKey(environment="another", entry="daily_health_check", run_id="1"), 5)
    assert newest(run_of("2", request), "redis") == {}


def test_hostile_name_is_kept_and_shown_literally(connect_to: Connect, request):
    record(run_of("1", request), 5, subject=HOSTILE)
    kept = HOSTILE.replace("\x00", "\\x00").replace("\udcff", "\\udcff")
    assert newest(run_of("2", request), kept) == {kept: 5}


def test_report_is_found_again_as_it_was(connect_to: Connect, request):
    finding = Finding(
        check="redis_ping", subject=HOSTILE[:20], verdict=Verdict.CRITICAL, value=1, unit="count"
    )
    area = AreaResult(area="redis", findings=(finding,))
    result = merge(
        [area], environment=request.node.name, entry="daily_health_check", run_id=request.node.name
    )
    for _ in range(2):
        HistoryHook().record_report(result, rendered="text", at=NOW)
    assert HistoryHook().report(entry="daily_health_check", run_id=request.node.name) == result


def test_history_that_refuses_is_unreachable(connect_to: Connect, monkeypatch: pytest.MonkeyPatch, request):
    uri = "postgres://docrag_history:very-secret@127.0.0.1:1/docrag_history"
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_HISTORY", uri)
    with pytest.raises(UnreachableError, match="cannot be used") as caught:
        newest(run_of("1", request))
    assert "very-secret" not in str(caught.value)


def test_history_without_a_connection_is_unreachable(monkeypatch: pytest.MonkeyPatch, request):
    monkeypatch.delenv("AIRFLOW_CONN_DOCRAG_HISTORY", raising=False)
    with pytest.raises(UnreachableError, match="docrag_history"):
        newest(run_of("1", request))
