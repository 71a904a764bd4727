"""`measure: {promql: FILE}`: an instant query below `include/promql/`; each series is a measurement.

A series' subject is its label `subject` where it has one, and the other labels its evidence; else all its labels.
A query for alerts (`needs_alerting_rules`) is asked together with whether Prometheus evaluates any rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from docrag_ops.core import alert_rules
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import (
    Measured,
    Measurement,
    NotConfigured,
    Outcome,
    TooLittle,
    Unmeasured,
)
from docrag_ops.hooks.metrics import MetricsHook, Series
from docrag_ops.operators.asking import Answers, Asking, answer_each


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each check's query."""
    hook = MetricsHook()
    return answer_each(checks, lambda check: _ask(check, hook, asking))


def _ask(check: Check, hook: MetricsHook, asking: Asking) -> Outcome:
    if asking.environment.traffic is None:
        return NotConfigured("the environment has no section 'traffic', so no Prometheus to ask")
    if check.guard:
        amount = _query(hook, check.guard.promql, asking)
        if not amount or not math.isfinite(amount[0].value):
            answer = f"answered {amount[0].value}" if amount else "has no data"
            return Unmeasured(
                f"Prometheus {answer} about {check.guard.what} (include/promql/{check.guard.promql})"
            )
        if amount[0].value < check.guard.at_least:
            return TooLittle(
                f"low volume: {amount[0].value:,.0f} {check.guard.what}, needs {check.guard.at_least:,.0f}"
            )
    series = _query(hook, check.asked, asking)
    measurements = tuple(
        Measurement(subject=_subject(one.labels), value=one.value, evidence=_evidence(one.labels))
        for one in series
    )
    return _with_rules(measurements, hook) if check.needs_alerting_rules else Measured(measurements)


def _with_rules(firing: tuple[Measurement, ...], hook: MetricsHook) -> Outcome:
    """What fires is told, whatever the rules are like."""
    try:
        return alert_rules.outcome(firing, hook.alert_rules())
    except CouldNotMeasureError as error:
        return Measured((*firing, Measurement(subject=alert_rules.SUBJECT, problem=str(error))))


def _query(hook: MetricsHook, name: str, asking: Asking) -> list[Series]:
    variables = asking.environment.traffic.variables if asking.environment.traffic else {}
    return hook.query(asking.include.promql(name, variables))


def _subject(labels: Mapping[str, str]) -> str:
    return labels["subject"] if "subject" in labels else _text(labels) or "all"


def _evidence(labels: Mapping[str, str]) -> str:
    """What the subject leaves out: the same job and instance may be scraped on several paths."""
    return (
        _text({name: value for name, value in labels.items() if name != "subject"})
        if "subject" in labels
        else ""
    )


def _text(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()) if name != "__name__")
