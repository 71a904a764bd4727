"""Which findings are open: what one run saw, held against what is open, and what becomes of that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from docrag_ops.core.alerts import OWN_AREA, FindingKey, OpenFinding, annotations_of
from docrag_ops.core.findings import Finding
from docrag_ops.core.judging import EVERYTHING
from docrag_ops.core.results import MOST_SUBJECTS, RunResult
from docrag_ops.core.verdicts import Verdict


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
