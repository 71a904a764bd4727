"""`measure: {scratch: NAME}`: what restores left on the scratch server, after it was swept."""

from __future__ import annotations

from docrag_ops.core.checks import Check
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome
from docrag_ops.hooks.scratch import ScratchHook
from docrag_ops.operators.asking import Answers, Asking, answer_each


def answer(checks: list[Check], asking: Asking) -> Answers:
    """Drop what killed restores left, then say what is still there."""
    section = asking.environment.backups
    if section is None or section.restore is None:
        reason = NotConfigured("not configured: the environment has no section 'backups.restore'")
        return {check.name: reason for check in checks}
    return answer_each(checks, lambda check: _left())


def _left() -> Outcome:
    dropped, running = ScratchHook().sweep()
    said = f"dropped: {', '.join(dropped)}" if dropped else "nothing was left"
    if running:
        said += f"; of a restore that still runs: {', '.join(running)}"
    return Measured((Measurement(subject="scratch server", value=len(running), evidence=said),))
