"""What became of a change, as findings and as the headline of its run."""

from __future__ import annotations

from collections.abc import Sequence

from docrag_ops.core.change_record import ChangeRecord
from docrag_ops.core.changes import Decision, StepOutcome, tally
from docrag_ops.core.findings import Finding, NotJudged
from docrag_ops.core.judging import EVIDENCE_BYTES
from docrag_ops.core.texts import shortened, storable
from docrag_ops.core.units import Unit, format_amount
from docrag_ops.core.verdicts import Verdict

RUNBOOK = "docs/runbooks.md#a-change-did-not-do-what-it-was-for"


def headline(record: ChangeRecord) -> str:
    """One sentence: what was changed, or why nothing was."""
    if record.steps:
        ended = tally([step.outcome for step in record.steps])
        by = "within policy" if record.decision is Decision.POLICY else f"approved by {record.decided_by}"
        return f"{record.plan.summary} Applied {by}: {ended}."
    return f"Nothing was changed: {_why_nothing(record)}"


def _why_nothing(record: ChangeRecord) -> str:
    if record.refused:
        return f"the plan was refused ({record.refused})"
    if not record.plan.steps:
        return "there was nothing to do"
    if record.dry_run:
        return "this was a dry run"
    match record.decision:
        case Decision.REJECTED:
            return f"rejected by {record.decided_by}"
        case Decision.EXPIRED:
            return "nobody answered"
        case None:
            return "nobody decided"
        case _:
            return "the approved plan was not begun"


def findings_of_plan(record: ChangeRecord, settled: Sequence[str], *, late: bool) -> tuple[Finding, ...]:
    """What was planned: ok, or critical when it was refused; and what an earlier, killed run left open."""
    check = f"{record.change}_late" if late else f"{record.change}_planned"
    verdict = Verdict.CRITICAL if record.refused else Verdict.OK
    remedy = (
        "Look at the plan in the report; run the entry by hand, or set other limits in the environment file."
    )
    planned = _finding(check, record.change, verdict, record.refused or record.plan.summary, remedy)
    left = [
        _finding(
            f"{record.change}_left_open",
            record.change,
            Verdict.WARNING,
            text,
            "Look at the run that is named.",
        )
        for text in settled
    ]
    return (planned, *left)


def handed_over(record: ChangeRecord) -> tuple[NotJudged, ...]:
    """What is left for a person to do, each with how: nothing is known of it afterwards."""
    check = f"{record.change}_handed_over"
    return tuple(NotJudged(check=check, subject=one, reason=why) for one, why in record.plan.handed_over)


def findings_about(
    record: ChangeRecord, *, scheduled: bool
) -> tuple[tuple[Finding, ...], tuple[NotJudged, ...]]:
    """What became of the plan, and what it could not see. A scheduled entry that nobody answered is critical."""
    unseen = tuple(_unseen(record.change, subject, why) for subject, why in record.plan.unknown)
    findings, not_judged = _became(record, scheduled=scheduled)
    return (*findings, *unseen), not_judged


def _unseen(change: str, subject: str, why: str) -> Finding:
    remedy = "Mend what could not be measured or done; the rest of the plan is not touched by it."
    return _finding(f"{change}_unseen", subject, Verdict.UNKNOWN, why, remedy)


def _became(record: ChangeRecord, *, scheduled: bool) -> tuple[tuple[Finding, ...], tuple[NotJudged, ...]]:
    check = f"{record.change}_proved"
    if not record.steps:
        overdue = scheduled and record.decision is Decision.EXPIRED
        lost = record.decision in (Decision.POLICY, Decision.APPROVED)
        if overdue or lost:
            remedy = (
                "Trigger the entry by hand and answer in time."
                if overdue
                else "See the log of the task that applies."
            )
            return (_finding(check, record.change, Verdict.CRITICAL, headline(record), remedy),), ()
        return (), (NotJudged(check=check, subject=record.change, reason=headline(record)),)
    return (_proof(check, record),), ()


def not_measured(change: str, what: str, error: Exception) -> Finding:
    """The finding of a plan or a proof whose measurements failed: nothing is known, which is no health."""
    remedy = "Mend what could not be measured; then clear this task to run it again."
    return _finding(f"{change}_{what}", change, Verdict.UNKNOWN, str(error), remedy)


def _proof(check: str, record: ChangeRecord) -> Finding:
    failed = [step for step in record.steps if step.outcome in (StepOutcome.FAILED, StepOutcome.STARTED)]
    numbers = "; ".join(
        f"{name}: {format_amount(value, name)} before, "
        f"{format_amount((record.after or {}).get(name, float('nan')), name)} after"
        for name, value in (record.before or {}).items()
    )
    if failed:
        why = f"{failed[0].subject}: {failed[0].what or 'its task was killed'}"
        return _finding(
            check, record.change, Verdict.CRITICAL, f"{headline(record)} {why}. {numbers}", "See the steps."
        )
    if record.not_better:
        return _finding(
            check, record.change, Verdict.CRITICAL, f"{record.not_better}. {numbers}", record.plan.undo
        )
    return _finding(check, record.change, Verdict.OK, f"{headline(record)} {numbers}", "")


def _finding(check: str, subject: str, verdict: Verdict, evidence: str, remedy: str) -> Finding:
    return Finding(
        check=check,
        subject=subject,
        verdict=verdict,
        unit=str(Unit.COUNT),
        evidence=shortened(storable(evidence), size_bytes=EVIDENCE_BYTES),
        remedy=remedy,
        runbook="" if verdict is Verdict.OK else RUNBOOK,
    )
