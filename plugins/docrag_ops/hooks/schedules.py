"""The schedules of the calendar, read from its DAG files without running them.

Airflow's client for tasks says when an entry is due next, not what its schedule is; a DAG file says it in a literal.
"""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

from docrag_ops.core.due_runs import Schedule
from docrag_ops.core.entries import LATE_AFTER
from docrag_ops.core.errors import DefinitionError
from docrag_ops.hooks.entries import DAGS

REPORTS = "ReportOperator"


def schedules(folder: Path = DAGS) -> list[Schedule]:
    """One per DAG file, by name; of a runbook without a cron.

    :raises DefinitionError: for a file in which the schedule is no literal.
    """
    return [_schedule_of(path) for path in sorted(folder.glob("*.py"))]


def _schedule_of(path: Path) -> Schedule:
    module = ast.parse(path.read_text())
    named = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    given: dict[str, ast.expr] = {}
    for call in calls:
        for one in call.keywords:
            if one.arg in ("schedule", "late_after"):
                is_named = isinstance(one.value, ast.Name) and one.value.id in named
                given[one.arg] = named[ast.unparse(one.value)] if is_named else one.value
    cron, late_after = given.get("schedule"), given.get("late_after")
    if cron is not None and not (isinstance(cron, ast.Constant) and isinstance(cron.value, str | None)):
        raise DefinitionError(
            f"Keyword 'schedule' in dags/{path.name} is {ast.unparse(cron)!r}; expected a literal, e.g. '0 9 * * *'"
        )
    return Schedule(
        entry=path.stem,
        cron=str(cron.value or "") if isinstance(cron, ast.Constant) else "",
        late_after=_timedelta(late_after) if late_after is not None else LATE_AFTER,
        reports=any(isinstance(call.func, ast.Name) and call.func.id == REPORTS for call in calls),
    )


def _timedelta(value: ast.expr) -> timedelta:
    """A literal such as `timedelta(hours=9)`; of anything else nothing is known, so it is late as usual."""
    if not isinstance(value, ast.Call):
        return LATE_AFTER
    given = {one.arg: one.value.value for one in value.keywords if isinstance(one.value, ast.Constant)}
    return timedelta(
        **{str(name): float(number) for name, number in given.items() if isinstance(number, int | float)}
    )
