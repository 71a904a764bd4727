"""`measure: {alarms: undelivered_minutes}`: the alarms that nobody was told yet."""

from __future__ import annotations

from collections.abc import Sequence

from docrag_ops.core.alarms import undelivered_minutes
from docrag_ops.core.checks import Check
from docrag_ops.core.measurements import Measured
from docrag_ops.hooks.alarm_outbox import AlarmOutbox
from docrag_ops.hooks.alarm_spool import AlarmSpool
from docrag_ops.operators.asking import Answers, Asking, answer_each


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Look into the outbox and into this machine's spool."""
    questions = {"undelivered_minutes": undelivered_minutes}
    waiting = [*AlarmOutbox().waiting(), *AlarmSpool().waiting()]
    return answer_each(checks, lambda check: Measured((questions[check.asked](waiting, asking.now),)))
