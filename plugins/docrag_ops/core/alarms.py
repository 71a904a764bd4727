"""Alarms: what a person has to be told, as facts; kept until every channel took the message."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from docrag_ops.core.measurements import Measurement
from docrag_ops.core.texts import shortened, storable

OWN_ENTRY = "deliver_alarms"
OWN_ALARM_HOURS = 6
IMPORT_ERROR_GONE_AFTER = timedelta(hours=1)
LEASE = timedelta(minutes=5)
ERROR_TEXT_BYTES = 4096
_FIRST_PAUSE = timedelta(minutes=4)  # over when deliver_alarms runs again
_LONGEST_PAUSE = timedelta(hours=1)


class Kind(StrEnum):
    """What an alarm is about."""

    FAILED = "failed"
    LATE = "late"
    IMPORT_ERROR = "import_error"
    APPROVAL = "approval"
    TEST = "test"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm; `(dag_id, run_id, clear_number, kind)` is said once, however often it is raised.

    Of an import error `dag_id` is the file, `run_id` the fingerprint of the error's text, and `clear_number` counts
    its occurrences. Of a late run, whose callback is not told the clear number, it is the second (since 1970) the run
    was last queued. None: the newest that is known of this run.
    `facts` are JSON: reason, started, link, tasks, text; the message is composed when it is sent.
    """

    kind: Kind
    dag_id: str
    run_id: str
    clear_number: int | None
    happened_at: datetime
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        """A name that any file system takes, the same for the same alarm."""
        key = "\n".join((self.kind, self.dag_id, self.run_id, str(self.clear_number)))
        return hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()[:32]

    def __str__(self) -> str:
        return f"{self.kind} {self.dag_id} {self.run_id}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "kind": str(self.kind), "happened_at": self.happened_at.isoformat()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Alarm:
        """The reverse of `to_dict`."""
        when = datetime.fromisoformat(data["happened_at"])
        return cls(**{**data, "kind": Kind(data["kind"]), "happened_at": when})


def failed_run(*, dag_id: str, run_id: str, clear_number: int | None, at: datetime, **facts: Any) -> Alarm:
    """A run that failed, whatever failed it.

    Of `deliver_alarms`, which runs every five minutes, one alarm in six hours is enough.
    """
    alarm = Alarm(
        kind=Kind.FAILED,
        dag_id=dag_id,
        run_id=run_id,
        clear_number=clear_number,
        happened_at=at,
        facts={"run_id": run_id, **{name: value for name, value in facts.items() if value}},
    )
    if dag_id != OWN_ENTRY:
        return alarm
    since = at.replace(hour=at.hour - at.hour % OWN_ALARM_HOURS)
    return replace(alarm, run_id=f"runs from {since:%Y-%m-%d %H}:00 UTC", clear_number=0)


def import_error(*, file: str, stacktrace: str, at: datetime, **facts: Any) -> Alarm:
    """A DAG file that does not import; the same error text is the same alarm, whatever addresses are in it."""
    text = re.sub(r"0x[0-9a-fA-F]+", "0x…", storable(stacktrace))
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Alarm(
        kind=Kind.IMPORT_ERROR,
        dag_id=storable(file),
        run_id=fingerprint,
        clear_number=None,
        happened_at=at,
        facts={"text": shortened(text, size_bytes=ERROR_TEXT_BYTES), **facts},
    )


def retry_after(tries: int) -> timedelta:
    """How long to wait after so many tries in vain: none after the first, then 4 minutes, doubled up to an hour.

    >>> [str(retry_after(tries)) for tries in (1, 2, 3, 9)]
    ['0:00:00', '0:04:00', '0:08:00', '1:00:00']
    """
    if tries <= 1:
        return timedelta(0)
    doubled: int = 2 ** min(tries - 2, 10)
    return min(_FIRST_PAUSE * doubled, _LONGEST_PAUSE)


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """An alarm that one sender holds for a while. `channels` are those that took it in an earlier try."""

    alarm: Alarm
    token: str
    tries: int
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An alarm that nobody was told yet; `claimed` while somebody is sending it."""

    alarm: Alarm
    tries: int
    last_error: str
    claimed: bool = False


def undelivered_minutes(waiting: Collection[Waiting], now: datetime) -> Measurement:
    """For how long the oldest alarm waits to be delivered; 0 when none does."""
    if not waiting:
        return Measurement(subject="oldest alarm", value=0.0)
    oldest = min(waiting, key=lambda one: one.alarm.happened_at)
    error = f"; {oldest.last_error}" if oldest.last_error else ""
    return Measurement(
        subject="oldest alarm",
        value=max(0.0, (now - oldest.alarm.happened_at).total_seconds() / 60),
        evidence=f"{len(waiting):,} alarms wait; {oldest.alarm} was tried {oldest.tries} times{error}",
    )
