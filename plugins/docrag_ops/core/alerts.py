"""Findings as alerts: what Alertmanager is told of those that are open, and until when."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from docrag_ops.core.findings import Finding
from docrag_ops.core.texts import one_line
from docrag_ops.core.units import format_value

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
