"""Judging one check: what was measured, held against the limits, becomes findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from docrag_ops.core.checks import Check, Empty, Limits
from docrag_ops.core.findings import Finding, NotJudged
from docrag_ops.core.measurements import (
    Exempt,
    Measured,
    Measurement,
    NotConfigured,
    Outcome,
    TooLittle,
    Unmeasured,
)
from docrag_ops.core.readings import History, NoBaseline, Read, Unreadable, gone_subjects, read
from docrag_ops.core.texts import shortened, storable
from docrag_ops.core.units import format_value
from docrag_ops.core.verdicts import Verdict

EVIDENCE_BYTES = 2048
SUBJECT_BYTES = 512
EVERYTHING = "all"


@dataclass(frozen=True)
class Judgement:
    """What one check came to. `findings` holds every bad subject and one summary of what is ok."""

    findings: tuple[Finding, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    samples: tuple[tuple[Measurement, Verdict | None], ...] = field(default=())


def judge(check: Check, outcome: Outcome, *, limits: Limits, history: History, now: datetime) -> Judgement:
    """Judge what a source answered. `history` holds earlier samples of this check by subject."""
    match outcome:
        case NotConfigured(reason, subject):
            before = {subject: history[subject]} if subject in history else {} if subject else history
            return _absent(check, limits, reason=reason, history=before)
        case Unmeasured(reason):
            return Judgement((_finding(check, limits, EVERYTHING, Verdict.UNKNOWN, evidence=reason),))
        case TooLittle(reason) | Exempt(reason):
            return Judgement(not_judged=(NotJudged(check=check.name, subject=EVERYTHING, reason=reason),))
        case Measured(()):
            return _nothing_found(check, limits, history=history)
        case Measured(measurements):
            return _judge_each(check, measurements, limits=limits, history=history, now=now)


def subjects_of(outcome: Outcome) -> set[str]:
    """The subjects whose past matters for judging this, under their names in history."""
    match outcome:
        case NotConfigured(_, subject) if subject:
            return {subject}
        case Measured(measurements):
            return {_subject_in_history(one.subject) for one in measurements}
        case _:
            return set()


def _absent(check: Check, limits: Limits, *, reason: str, history: History) -> Judgement:
    """Not configured is no finding; but what was measured before and is gone is `unknown`."""
    if not history:
        return Judgement(not_judged=(NotJudged(check=check.name, subject=EVERYTHING, reason=reason),))
    last = max(sample.measured_at for samples in history.values() for sample in samples)
    evidence = (
        f"{reason}; but it was measured until {last:%Y-%m-%d %H:%M} UTC. If it is gone for good, say so in the "
        f"environment file, under exempt.{check.name}"
    )
    return Judgement((_finding(check, limits, EVERYTHING, Verdict.UNKNOWN, evidence=evidence),))


def _nothing_found(check: Check, limits: Limits, *, history: History) -> Judgement:
    reason = check.empty_reason or "the source answered with nothing to look at"
    if check.empty is Empty.OK:
        return Judgement((_finding(check, limits, "none", Verdict.OK, value=0, evidence=reason),))
    if check.empty is Empty.NOT_JUDGED:
        return _absent(check, limits, reason=reason, history=history)
    return Judgement((_finding(check, limits, EVERYTHING, Verdict.UNKNOWN, evidence=reason),))


def _judge_each(
    check: Check, measurements: Sequence[Measurement], *, limits: Limits, history: History, now: datetime
) -> Judgement:
    bad: list[Finding] = []
    good: list[tuple[float, str, str]] = []
    not_judged: list[NotJudged] = []
    samples: list[tuple[Measurement, Verdict | None]] = []
    measurements = [_with_storable_subject(one) for one in measurements]
    for measurement in measurements:
        result = read(check, measurement, history=history, now=now)
        verdict: Verdict | None = Verdict.UNKNOWN
        match result:
            case NoBaseline(reason):
                verdict = None
                not_judged.append(NotJudged(check=check.name, subject=measurement.subject, reason=reason))
            case Unreadable(reason):
                evidence = "; ".join(part for part in (reason, measurement.evidence) if part)
                bad.append(_finding(check, limits, measurement.subject, Verdict.UNKNOWN, evidence=evidence))
            case Read(value, note):
                verdict = held_against(value, limits)
                if verdict is Verdict.OK:
                    good.append((value, measurement.subject, measurement.evidence))
                else:
                    evidence = "; ".join(part for part in (note, measurement.evidence) if part)
                    bad.append(
                        _finding(check, limits, measurement.subject, verdict, value=value, evidence=evidence)
                    )
        samples.append((measurement, verdict))
    for subject, reason in gone_subjects(check, measurements, history=history, now=now):
        bad.append(_finding(check, limits, subject, Verdict.UNKNOWN, evidence=reason))
    bad.sort(key=lambda finding: -finding.verdict.severity)
    findings = (*bad, *_summary_of_good(check, limits, good))
    return Judgement(findings, _merged(check, not_judged), tuple(samples))


def held_against(value: float, limits: Limits) -> Verdict:
    """The verdict about a value; a value equal to a limit is still within it."""
    for verdict, limit in ((Verdict.CRITICAL, limits.critical), (Verdict.WARNING, limits.warning)):
        if limit is not None and (value < limit if limits.below else value > limit):
            return verdict
    return Verdict.OK


def _summary_of_good(check: Check, limits: Limits, good: list[tuple[float, str, str]]) -> tuple[Finding, ...]:
    if not good:
        return ()
    value, subject, evidence = (min if limits.below else max)(good)
    if len(good) == 1:
        return (_finding(check, limits, subject, Verdict.OK, value=value, evidence=evidence),)
    extreme = "lowest" if limits.below else "highest"
    if check.tells_all:
        evidence = "; ".join(
            f"{name}: {format_value(number, limits.unit)}" + (f" ({why})" if why else "")
            for number, name, why in good
        )
        return (
            _finding(check, limits, f"{len(good):,} subjects", Verdict.OK, value=value, evidence=evidence),
        )
    evidence = f"{extreme}: {format_value(value, limits.unit)} ({subject})" if value else ""
    return (_finding(check, limits, f"{len(good):,} subjects", Verdict.OK, value=value, evidence=evidence),)


def _merged(check: Check, entries: list[NotJudged], most: int = 5) -> tuple[NotJudged, ...]:
    """The same reason for many subjects is one line."""
    by_reason: dict[str, list[str]] = {}
    for entry in entries:
        by_reason.setdefault(entry.reason, []).append(entry.subject)
    return tuple(
        NotJudged(
            check=check.name,
            subject=", ".join(subjects[:most])
            + (f" and {len(subjects) - most:,} more" if len(subjects) > most else ""),
            reason=reason,
        )
        for reason, subjects in by_reason.items()
    )


def _with_storable_subject(measurement: Measurement) -> Measurement:
    """Under the same name in findings, in history and when it is looked up there."""
    subject = _subject_in_history(measurement.subject)
    return measurement if subject == measurement.subject else replace(measurement, subject=subject)


def _subject_in_history(subject: str) -> str:
    return shortened(storable(subject), size_bytes=SUBJECT_BYTES)


def _finding(
    check: Check,
    limits: Limits,
    subject: str,
    verdict: Verdict,
    *,
    value: float | None = None,
    evidence: str = "",
) -> Finding:
    crossed = limits.critical if verdict is Verdict.CRITICAL or limits.warning is None else limits.warning
    return Finding(
        check=check.name,
        subject=shortened(storable(subject), size_bytes=SUBJECT_BYTES),
        verdict=verdict,
        value=value,
        unit=str(limits.unit),
        limit=crossed,
        evidence=shortened(storable(evidence), size_bytes=EVIDENCE_BYTES),
        remedy=check.remedy if verdict is not Verdict.OK else "",
        runbook=check.runbook if verdict is not Verdict.OK else "",
    )
