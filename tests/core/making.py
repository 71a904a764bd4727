"""Checks, samples and findings with everything a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from docrag_ops.core.checks import Check
from docrag_ops.core.findings import Finding
from docrag_ops.core.judging import Judgement, judge
from docrag_ops.core.measurements import Measured, Measurement, Outcome, Sample
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
