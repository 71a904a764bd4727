"""`measure: {charts: routes}`: the charts of the run's page are read from Prometheus and kept."""

from __future__ import annotations

from collections.abc import Sequence

from docrag_ops.core.checks import Check
from docrag_ops.core.measurements import Measured, NotConfigured, Outcome
from docrag_ops.core.performance.charts import (
    HOUR,
    MOST_SUBJECTS,
    STEP_SECONDS,
    WEEK_HOURS,
    Chart,
    ChartKind,
    chart_of,
    coverage,
    parse_charts,
)
from docrag_ops.hooks.chart_records import ChartRecords
from docrag_ops.hooks.metrics import MetricsHook
from docrag_ops.operators.asking import Answers, Asking, answer_each

KINDS = "charts/routes.yaml"


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Draw and keep all charts, then say how much of the week they show."""
    questions = {"routes": _keep}
    return answer_each(checks, lambda check: questions[check.asked](asking))


def _keep(asking: Asking) -> Outcome:
    if asking.environment.traffic is None:
        return NotConfigured("the environment has no section 'traffic', so no Prometheus to ask")
    hook = MetricsHook()
    drawn = [
        _drawn(kind, hook, asking)
        for kind in parse_charts(asking.include.text(KINDS), where=f"include/{KINDS}")
    ]
    first = drawn[0]
    if not first:
        return Measured(())
    shown = sorted(first, key=lambda one: (-len([value for value in first[one].this_week if value]), one))
    charts = [
        by_subject[subject]
        for subject in shown[:MOST_SUBJECTS]
        for by_subject in drawn
        if subject in by_subject
    ]
    ChartRecords().record(asking.run, charts, at=asking.now)
    return Measured((coverage(list(first.values())),))


def _drawn(kind: ChartKind, hook: MetricsHook, asking: Asking) -> dict[str, Chart]:
    """The charts of one kind, by route."""
    end = asking.now.replace(minute=0, second=0, microsecond=0)
    variables = asking.environment.traffic.variables if asking.environment.traffic else {}
    found = hook.query_range(
        asking.include.promql(kind.promql, variables),
        start=end - (2 * WEEK_HOURS - 1) * HOUR,
        end=end,
        step_seconds=STEP_SECONDS,
    )
    return {
        route: chart_of(kind, route, one.points, end=end)
        for one in found
        for route in [one.labels.get("route", "all")]
    }
