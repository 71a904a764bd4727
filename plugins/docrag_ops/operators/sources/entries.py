"""`measure: {entries: NAME}`: the calendar itself, as Airflow knows it."""

from __future__ import annotations

from collections.abc import Sequence

from docrag_ops.core import entries
from docrag_ops.core.checks import Check
from docrag_ops.core.measurements import Measured
from docrag_ops.hooks.entries import entry_names, entry_states
from docrag_ops.operators.asking import Answers, Asking, answer_each


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask Airflow once about every entry of the calendar."""
    questions = {"paused": entries.paused, "overdue_minutes": entries.overdue_minutes}
    states = entry_states(asking.task_instance, entry_names())
    return answer_each(checks, lambda check: Measured(tuple(questions[check.asked](states, asking.now))))
