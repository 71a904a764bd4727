"""What the history has of past runs, on a real PostgreSQL; the shares are worked out by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from docrag_ops.core.due_runs import Schedule
from docrag_ops.core.measurements import Measured, NotConfigured
from docrag_ops.core.results import RunResult
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks.history import HistoryHook, RunKey
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.past_runs import PastRuns
from docrag_ops.operators.asking import Asking, ask_all
from docrag_ops.operators.sources import runs, verdicts
from tests.core.making import finding

pytestmark = pytest.mark.sandbox
NOW = datetime(2026, 6, 10, 23, 0, 4, tzinfo=UTC)
TEN = NOW.replace(hour=22, second=0)
ENTRY, RESTORE = "daily_backup_verification", ("restore_done", "restore_rows")
Connect = Callable[..., None]


def run_of(day: int, request: pytest.FixtureRequest) -> RunKey:
    """The scheduled run of a day in June."""
    return RunKey(
        environment=request.node.name, entry=ENTRY, run_id=f"scheduled__2026-06-{day:02}T22:00:00+00:00"
    )


def record(run: RunKey, day: int, *found: str) -> None:
    """A run that ended twenty minutes after it was due; `found` are the verdicts of the restore's checks."""
    history, at = HistoryHook(), TEN.replace(day=day) + timedelta(minutes=20)
    findings = [finding(name, verdict=Verdict(one)) for name, one in zip(RESTORE, found, strict=False)]
    history.record_area(run, "restores", findings=findings, samples=(), at=at)
    result = RunResult(**run.to_columns(), findings=tuple(findings), not_judged=())
    history.record_report(result, rendered="", at=at)


def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """The outcomes of the area `maintenance`, with one entry in the calendar."""
    for module in (runs, verdicts):
        monkeypatch.setattr(module, "schedules", lambda: [Schedule(entry=ENTRY, cron="0 22 * * *")])
    include = IncludeFolder()
    asking = Asking(
        environment=include.environment("docrag-prod"),
        include=include,
        run=RunKey(environment=request.node.name, entry="daily_success_metrics", run_id="x"),
        now=NOW,
        task_instance=SimpleNamespace(get_dag=lambda _: SimpleNamespace(is_paused=False, next_dagrun=NOW)),
    )
    answers = ask_all(include.checks("maintenance"), asking)
    return {
        name: {m.subject: m for m in one.measurements} if isinstance(one, Measured) else one
        for name, one in answers.items()
    }


def test_shares_of_ten_days(connect_to: Connect, request, monkeypatch):
    """1 to 10 June: the 4th lacks rows, the 6th did not run, the 8th could not be done, the 9th warned."""
    special = {4: ("ok", "critical"), 8: ("unknown",), 9: ("ok", "warning")}
    for day in (1, 2, 3, 4, 5, 7, 8, 9, 10):
        record(run_of(day, request), day, *special.get(day, ("ok", "ok")))
    found = ask(request, monkeypatch)
    backups = found["backup_success"]
    assert (backups["1 day"].value, backups["7 days"].value) == (1, pytest.approx(4 / 7))
    assert backups["7 days"].evidence == (
        "4 of 7 due runs proved it; not: 2026-06-04 critical, 2026-06-06 no run, 2026-06-08 unknown"
    )
    assert backups["30 days"].not_judged == "needs 30 days, has 9"
    assert found["runs_kept"]["7 days"].value == pytest.approx(6 / 7)
    assert found["runs_missed"][ENTRY].value == 0


def test_run_that_was_cleared_days_later_belongs_to_its_day(connect_to: Connect, request):
    record(run_of(8, request), 9, "ok", "ok")
    past = PastRuns().reports(request.node.name, NOW - timedelta(days=30))
    assert [one.time for one in past[ENTRY].runs] == [TEN.replace(day=8)]


def test_what_never_ran_is_a_first_run(connect_to: Connect, request, monkeypatch):
    found = ask(request, monkeypatch)
    assert isinstance(found["backup_success"], NotConfigured)
    assert found["runs_missed"][ENTRY].not_judged == "first run: it has left no report yet"


def test_proofs_that_ended_are_no_success(connect_to: Connect, request, monkeypatch):
    """Verified once, in February; every day since then proves nothing."""
    run = RunKey(environment=request.node.name, entry=ENTRY, run_id="scheduled__2026-02-01T22:00:00+00:00")
    findings = [finding("restore_done", verdict=Verdict.OK)]
    at = datetime(2026, 2, 1, 22, 20, tzinfo=UTC)
    HistoryHook().record_area(run, "restores", findings=findings, samples=(), at=at)
    shares = [one.value for one in ask(request, monkeypatch)["backup_success"].values()]
    assert shares == [0, 0, 0, 0]
