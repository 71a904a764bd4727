"""Checks, samples, findings and changes with everything a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from docrag_ops.core.change_record import ChangeRecord, StepRecord
from docrag_ops.core.changes import Decision, Plan, Step, StepOutcome
from docrag_ops.core.checks import Check
from docrag_ops.core.findings import Finding
from docrag_ops.core.judging import Judgement, judge
from docrag_ops.core.measurements import Measured, Measurement, Outcome, Sample
from docrag_ops.core.runs import RunKey
from docrag_ops.core.verdicts import Verdict

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def check(
    *, unit: str = "count", warning: float | None = None, critical: float | None = None, **keys: Any
) -> Check:
    below = keys.pop("below", False)
    limits = {"unit": unit, "warning": warning, "critical": critical, "below": below, "why": "for the test"}
    if warning is None and critical is None:
        limits["critical"] = 0
    plain = {
        "name": "some_check",
        "question": "Is it so?",
        "measure": {"cache": "ping"},
        "remedy": "Mend it.",
        "runbook": "runbook_disk_space",
    }
    return Check.model_validate({**plain, "limits": limits, **keys})


def sample(
    value: float | None = None, *, days: float = 1, subject: str = "x", epoch: str = "", **share: float
) -> Sample:
    return Sample(
        subject=subject,
        measured_at=NOW - timedelta(days=days),
        value=value,
        numerator=share.get("numerator"),
        denominator=share.get("denominator"),
        epoch=epoch,
    )


def history(*samples: Sample) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for one in sorted(samples, key=lambda one: one.measured_at):
        found.setdefault(one.subject, []).append(one)
    return found


def judged(of: Check, outcome: Outcome | float, *samples: Sample, **measurement: Any) -> Judgement:
    """The judgement of one number about `x`, or of any outcome."""
    if isinstance(outcome, int | float):
        outcome = Measured((Measurement(subject="x", value=outcome, **measurement),))
    return judge(of, outcome, limits=of.limits, history=history(*samples), now=NOW)


def finding(
    name: str = "some_check", subject: str = "x", verdict: Verdict = Verdict.CRITICAL, **keys: Any
) -> Finding:
    return Finding(check=name, subject=subject, verdict=verdict, **{"unit": "count", **keys})


def change_record(
    text: str = "app.log.1",
    *,
    decision: Decision | None = Decision.APPROVED,
    applied: bool = True,
    dry_run: bool = False,
) -> ChangeRecord:
    """A change with one step: applied, or what became of it instead."""
    step = Step(action="delete", subject=text, target="pod", details={"why": text})
    plan = Plan(
        change="log_cleanup",
        environment="docrag-prod",
        summary=text,
        steps=(step,),
        amounts={"files": 1.0},
        expected=text,
        undo=text,
        protected=((text, text),),
        handed_over=((text, text),),
    )
    done = StepRecord(
        number=0,
        action="delete",
        subject=text,
        target="pod",
        outcome=StepOutcome.DONE,
        what=text,
        started_at=NOW,
        ended_at=NOW,
    )
    return ChangeRecord(
        id=1,
        run=RunKey(environment="docrag-prod", entry="daily_log_maintenance", run_id="1"),
        change="log_cleanup",
        planned_at=NOW,
        requested_by=text,
        plan=plan,
        digest=plan.digest,
        dry_run=dry_run,
        refused="",
        ask=text,
        decision=decision,
        decided_by="alice",
        decided_at=NOW,
        decided_digest=plan.digest,
        before={"used_bytes": 10.0} if applied else None,
        after={"used_bytes": 4.0} if applied else None,
        not_better="" if applied else None,
        steps=(done,) if applied else (),
    )
