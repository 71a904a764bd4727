"""Findings about the maintenance itself: a task that left nothing, a history that could not be written."""

from __future__ import annotations

from docrag_ops.core.findings import Finding
from docrag_ops.core.judging import EVIDENCE_BYTES
from docrag_ops.core.texts import shortened, storable
from docrag_ops.core.verdicts import Verdict


def task_left_nothing(task_id: str, *, state: str) -> Finding:
    """The one `unknown` finding of a task that ended without handing on what it found."""
    return _unknown(
        "task_left_findings",
        task_id,
        evidence=f"the task ended in the state {state!r} and handed on no findings: nothing it looks at was judged",
        remedy="Open the task's log in the grid and mend what it says; then clear the task to run it again.",
        runbook="docs/runbooks.md#a-task-left-no-findings",
    )


def history_not_written(where: str, *, reason: str) -> Finding:
    """What was found could not be kept; it is in the log of the task only."""
    return _unknown(
        "history_recorded",
        where,
        evidence=f"nothing was recorded: {reason}",
        remedy="Bring the database of the Connection docrag_history back; then clear this run. Until then the findings "
        "are in the tasks' logs only, and checks that compare with earlier runs cannot be judged.",
        runbook="docs/runbooks.md#the-history-database-is-down",
    )


def alertmanager_not_told(where: str, *, reason: str) -> Finding:
    """The open findings could not be handed to Alertmanager, or its silences not be read."""
    return _unknown(
        "alertmanager_told",
        where,
        evidence=f"Alertmanager does not know what is open here: {reason}",
        remedy="Bring Alertmanager back, or mend the Connection docrag_alertmanager; deliver_alarms posts all open "
        "findings again within five minutes.",
        runbook="docs/runbooks.md#alertmanager-is-not-told",
    )


def _unknown(check: str, subject: str, *, evidence: str, remedy: str, runbook: str) -> Finding:
    return Finding(
        check=check,
        subject=subject,
        verdict=Verdict.UNKNOWN,
        evidence=shortened(storable(evidence), size_bytes=EVIDENCE_BYTES),
        remedy=remedy,
        runbook=runbook,
    )
