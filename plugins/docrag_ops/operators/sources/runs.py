"""`measure: {runs: NAME}`: runs of the calendar that were due, held against the reports in the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from docrag_ops.core import due_runs
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Measured, Outcome
from docrag_ops.hooks.entries import entry_states
from docrag_ops.hooks.past_runs import PastRuns
from docrag_ops.hooks.schedules import schedules
from docrag_ops.operators.asking import Answers, Asking, answer_each

FURTHEST = timedelta(days=30)


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask Airflow about every scheduled entry, and the history about its reports."""
    entries = kept_entries(asking)
    firsts = [one.first_at for one in entries if one.first_at]

    def ask(check: Check) -> Outcome:
        if check.asked == "missed":
            return Measured(tuple(due_runs.missed(entries, now=asking.now)))
        first_at = min(firsts, default=None)
        found = due_runs.runs_kept(entries, window_days(asking), first_at=first_at, now=asking.now)
        return {"kept": lambda: Measured(tuple(found))}[check.asked]()

    return answer_each(checks, ask)


def kept_entries(asking: Asking) -> list[due_runs.Kept]:
    """Every scheduled entry with what Airflow knows of it and what the history has of it."""
    scheduled = {one.entry: one for one in schedules() if one.cron}
    if not scheduled:
        raise CouldNotMeasureError("no file in dags/ has a schedule")
    longest = max(timedelta(days=max(window_days(asking))), FURTHEST)
    past = PastRuns().reports(asking.run.environment, asking.now - longest - FURTHEST)
    if asking.run.entry in past:  # this very run has left no report yet, and is not missed
        past[asking.run.entry].runs.append(due_runs.recorded(asking.run.run_id, asking.now))
    states = entry_states(asking.task_instance, sorted(scheduled))
    return [
        due_runs.Kept(
            schedule=scheduled[state.name],
            state=state,
            runs=past[state.name].runs if state.name in past else (),
            first_at=past[state.name].first_at if state.name in past else None,
        )
        for state in states
    ]


def window_days(asking: Asking) -> tuple[int, ...]:
    """The windows of the environment's objectives, else the usual ones."""
    return asking.environment.slo.window_days if asking.environment.slo else (1, 7, 30, 90)
