"""`measure: {verdicts: "ENTRY/CHECK, CHECK"}`: in which share of an entry's due runs checks of its did not fail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from docrag_ops.core import due_runs
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import DefinitionError
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome
from docrag_ops.hooks.entries import entry_states
from docrag_ops.hooks.past_runs import PastRuns
from docrag_ops.hooks.schedules import schedules
from docrag_ops.operators.asking import Answers, Asking, answer_each
from docrag_ops.operators.sources.runs import FURTHEST, window_days


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question."""
    return answer_each(checks, lambda check: _ask(check, asking))


def _ask(check: Check, asking: Asking) -> Outcome:
    entry, _, listed = check.asked.partition("/")
    names = [name.strip() for name in listed.split(",")]
    if not entry or not all(names):
        raise DefinitionError(
            f"Key 'measure.verdicts' of check {check.name!r} is {check.asked!r}; expected an entry and "
            "checks of its, e.g. daily_backup_verification/restore_done, restore_rows"
        )
    days = window_days(asking)
    since = asking.now - timedelta(days=max(days)) - FURTHEST
    past = PastRuns().verdicts(asking.run.environment, entry, names, since)
    if past is None:
        return NotConfigured(f"first run: the history has no result of {listed} by {entry} yet")
    schedule = next((one for one in schedules() if one.entry == entry and one.cron), None)
    if schedule is None:
        reason = f"{entry} has recorded {listed}, but is no scheduled entry of the calendar any more"
        return Measured((Measurement(subject=entry, problem=reason),))
    [state] = entry_states(asking.task_instance, [entry])
    kept = due_runs.Kept(schedule=schedule, state=state, runs=past.runs, first_at=past.first_at)
    return Measured(tuple(due_runs.share_proven(kept, days, now=asking.now)))
