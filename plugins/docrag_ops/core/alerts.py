"""Findings as alerts: which are open, when one is resolved, and what Alertmanager is told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from docrag_ops.core.findings import Finding
from docrag_ops.core.judging import EVERYTHING
from docrag_ops.core.results import MOST_SUBJECTS, RunResult
from docrag_ops.core.texts import one_line
from docrag_ops.core.units import format_value
from docrag_ops.core.verdicts import Verdict

OWN_AREA = "maintenance"
WITHOUT_A_NEXT_RUN = timedelta(days=1)
KEPT_ALIVE = timedelta(minutes=15)

FindingKey = tuple[str, str, str]
"""Check, subject and severity."""


@dataclass(frozen=True, kw_only=True)
class OpenFinding:
    """A finding that is bad until a later run sees that it is not."""

    environment: str
    scope: str
    area: str
    check: str
    subject: str
    severity: str
    entry: str
    run_id: str
    first_seen_at: datetime
    ends_at: datetime
    annotations: dict[str, str] = field(default_factory=dict)
    resolved_at: datetime | None = None
    record_id: int | None = None

    @property
    def key(self) -> FindingKey:
        """What makes it the same finding in a later run."""
        return self.check, self.subject, self.severity

    def to_alert(self, *, now: datetime) -> dict[str, Any]:
        """As Alertmanager's API takes it. One that is open outlives the time until it is posted again."""
        ends_at = self.resolved_at or max(self.ends_at, now + KEPT_ALIVE)
        alert = {
            "labels": {
                "alertname": self.check,
                "environment": self.environment,
                "area": self.area,
                "subject": self.subject,
                "severity": self.severity,
            },
            "annotations": self.annotations,
            "startsAt": min(self.first_seen_at, ends_at).isoformat(),
            "endsAt": ends_at.isoformat(),
        }
        link = self.annotations.get("run", "")
        return {**alert, "generatorURL": link} if link else alert


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A finding that Alertmanager keeps quiet about: by whom, why and until when. It still counts."""

    check: str
    subject: str
    severity: str
    owner: str
    reason: str
    ends_at: str
    silence_id: str

    def to_dict(self) -> dict[str, str]:
        """Plain JSON, as history keeps it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a run has to say about findings: which it has, and which questions it could not answer.

    `areas`: check -> area, of the checks that exist. `not_wanted`: check -> why it is not asked here (any more).
    `unjudged`: check and subject that were looked at and could not be judged.
    """

    result: RunResult
    bad: Mapping[FindingKey, Finding]
    areas: Mapping[str, str]
    not_wanted: Mapping[str, str]
    unjudged: Collection[tuple[str, str]]

    @property
    def asked(self) -> set[str]:
        """The checks of which the run says anything at all."""
        result = self.result
        return {one.check for one in result.findings} | {one.check for one in result.not_judged}

    @property
    def unanswered(self) -> set[str]:
        """The checks that could not be measured, or not be judged, as a whole."""
        failed = {
            one.check
            for one in self.result.findings
            if one.subject == EVERYTHING and one.verdict is Verdict.UNKNOWN
        }
        judged = {one.check for one in self.result.findings}
        return failed | {one.check for one in self.result.not_judged if one.check not in judged}


def seen_in(
    result: RunResult,
    *,
    recorded: Iterable[Finding],
    unjudged: Collection[tuple[str, str]],
    areas: Mapping[str, str],
    not_wanted: Mapping[str, str],
) -> Seen:
    """What a run saw: of checks all that history has (`recorded`; a report shows 50), of its own trouble the report.

    What history has of a check that this run's tasks did not report was written by an earlier try.
    """
    reported = {one.check for one in result.findings}
    own = [one for one in result.findings if one.check not in areas]
    checked = [one for one in recorded if one.check in reported and one.check in areas]
    bad = [one for one in (*own, *checked) if one.verdict is not Verdict.OK]
    return Seen(
        result=result,
        bad={(one.check, one.subject, str(one.verdict)): one for one in bad},
        areas=areas,
        not_wanted=not_wanted,
        unjudged=unjudged,
    )


def why_resolved(one: OpenFinding, seen: Seen) -> str:
    """Why an open finding is over; empty while it is not.

    Over: its subject was measured and is not that bad any more, or is gone. Not over: it could not be measured.
    """
    if one.key in seen.bad and (one.scope in ("", seen.result.entry)):
        return ""
    if one.scope:
        return _why_own_is_resolved(one, seen)
    if one.check not in seen.areas:
        return "there is no such check any more"
    if one.check in seen.not_wanted:
        return seen.not_wanted[one.check]
    if one.check not in seen.asked or one.check in seen.unanswered:
        return ""
    if (one.check, one.subject) in seen.unjudged and one.severity != Verdict.UNKNOWN:
        return ""
    others = {
        severity for check, subject, severity in seen.bad if (check, subject) == (one.check, one.subject)
    }
    return f"it is {', '.join(sorted(others))} now" if others else "it is within its limits, or gone"


def _why_own_is_resolved(one: OpenFinding, seen: Seen) -> str:
    """A finding about the maintenance itself is over with the entry's next report that does not have it."""
    if one.scope != seen.result.entry or one.check in {entry.check for entry in seen.result.not_judged}:
        return ""
    return "the entry's next run does not have it any more"


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What a run changes in the record: `over` record -> why, `seen` record -> its annotations now, and what is new."""

    over: Mapping[int, str]
    seen: Mapping[int, dict[str, str]]
    opened: list[OpenFinding]


def settle(
    seen: Seen, known: Collection[OpenFinding], *, now: datetime, ends_at: datetime, link: str
) -> Settlement:
    """What becomes of the findings that are open, and which are new."""
    over = {one.record_id or 0: why for one in known if (why := why_resolved(one, seen))}
    again = {
        one.record_id or 0: annotations_of(seen.bad[one.key], entry=seen.result.entry, link=link)
        for one in known
        if one.record_id not in over and one.key in seen.bad and one.scope in ("", seen.result.entry)
    }
    opened = _newly_open(seen, known, now=now, ends_at=ends_at, link=link)
    return Settlement(over=over, seen=again, opened=opened)


def _newly_open(
    seen: Seen, known: Collection[OpenFinding], *, now: datetime, ends_at: datetime, link: str
) -> list[OpenFinding]:
    """The run's findings that are not open yet, at most 50 of a check. One that was bad before is as old as that."""
    already = {(one.scope, *one.key) for one in known}
    since: dict[tuple[str, str], datetime] = {}
    for one in known:
        earlier = since.get((one.check, one.subject), one.first_seen_at)
        since[one.check, one.subject] = min(earlier, one.first_seen_at)
    count: dict[str, int] = {}
    found = []
    for key, finding in seen.bad.items():
        scope = "" if finding.check in seen.areas else seen.result.entry
        count[finding.check] = count.get(finding.check, 0) + 1
        if count[finding.check] > MOST_SUBJECTS or (scope, *key) in already:
            continue
        found.append(
            OpenFinding(
                environment=seen.result.environment,
                scope=scope,
                area=seen.areas.get(finding.check, OWN_AREA),
                check=finding.check,
                subject=finding.subject,
                severity=str(finding.verdict),
                entry=seen.result.entry,
                run_id=seen.result.run_id,
                first_seen_at=since.get((finding.check, finding.subject), now),
                ends_at=ends_at,
                annotations=annotations_of(finding, entry=seen.result.entry, link=link),
            )
        )
    return found


def annotations_of(finding: Finding, *, entry: str, link: str) -> dict[str, str]:
    """What Alertmanager shows and sends on."""
    value = f" {format_value(finding.value, finding.unit)}" if finding.value is not None else ""
    limit = (
        f" (limit {format_value(finding.limit, finding.unit)})" if value and finding.limit is not None else ""
    )
    texts = {
        "summary": f"{finding.check} is {finding.verdict}: {one_line(finding.subject)}{value}{limit}",
        "evidence": finding.evidence,
        "remedy": finding.remedy,
        "runbook": finding.runbook,
        "entry": entry,
        "run": link,
    }
    return {name: text for name, text in texts.items() if text}


def expected_until(*, now: datetime, next_due: datetime | None, late_after: timedelta) -> datetime:
    """When the next run should have seen a finding again: its due time plus the entry's deadline.

    >>> from datetime import UTC
    >>> nine = datetime(2026, 7, 1, 9, tzinfo=UTC)
    >>> expected_until(now=nine, next_due=nine + timedelta(days=1), late_after=timedelta(minutes=30)).isoformat()
    '2026-07-02T09:30:00+00:00'
    """
    if next_due is None or next_due <= now:  # started by hand only, paused, or overdue
        return now + WITHOUT_A_NEXT_RUN
    return next_due + late_after


def watchdog(*, now: datetime, link: str) -> dict[str, Any]:
    """An alert that always fires: when it ends, nobody delivers alarms any more. For an outside watcher."""
    return {
        "labels": {
            "alertname": "Watchdog",
            "severity": "none",
            "area": OWN_AREA,
            "source": "docrag-maintenance",
        },
        "annotations": {
            "summary": "Always firing, kept alive by deliver_alarms; its end means that alarms are not delivered."
        },
        "endsAt": (now + KEPT_ALIVE).isoformat(),
        "generatorURL": link,
    }
