"""Spells of minutes, and the windows of planned work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field, model_validator

from docrag_ops.core.records import Record

MINUTE = timedelta(minutes=1)
Spell = tuple[datetime, datetime]
LONGEST_PLANNED = timedelta(days=7)


class PlannedWindow(Record):
    """Announced work in which the service may be down."""

    start: Annotated[AwareDatetime, Field(description="a time with zone, e.g. 2026-11-29T02:00:00Z")]
    end: Annotated[AwareDatetime, Field(description="a time with zone, e.g. 2026-11-29T03:00:00Z")]
    reason: Annotated[str, Field(min_length=1, description="what is done, e.g. PostgreSQL 16 upgrade")]
    owner: Annotated[str, Field(min_length=1, description="who announced it, e.g. a name or a team")]

    @model_validator(mode="after")
    def _is_a_window(self) -> PlannedWindow:
        if not self.start < self.end <= self.start + LONGEST_PLANNED:
            raise ValueError(
                f"a planned window from {self.start.isoformat()} to {self.end.isoformat()}; expected an end after the "
                f"start, at most {LONGEST_PLANNED.days} days later"
            )
        return self

    def holds(self, minute: datetime) -> bool:
        """Whether the whole minute that begins then is in it."""
        return self.start <= minute and minute + MINUTE <= self.end


def spells(minutes: Iterable[datetime]) -> list[Spell]:
    """Minutes that follow each other as one (start, end).

    >>> from datetime import UTC
    >>> day = datetime(2026, 1, 1, tzinfo=UTC)
    >>> [(a.minute, b.minute) for a, b in spells(day.replace(minute=m) for m in (1, 2, 3, 9))]
    [(1, 4), (9, 10)]
    """
    found: list[Spell] = []
    for minute in sorted(minutes):
        if found and found[-1][1] == minute:
            found[-1] = (found[-1][0], minute + MINUTE)
        else:
            found.append((minute, minute + MINUTE))
    return found


def said(found: list[Spell], *, most: int = 3) -> str:
    """The longest spells for a person, the newest first.

    >>> from datetime import UTC
    >>> said([(datetime(2026, 1, 1, 9, 0, tzinfo=UTC), datetime(2026, 1, 1, 9, 20, tzinfo=UTC))])
    '2026-01-01 09:00 to 09:20 UTC'
    """
    longest = sorted(found, key=lambda one: one[0] - one[1])[:most]
    texts = [_text(start, end) for start, end in sorted(longest, reverse=True)]
    if len(found) > most:
        texts.append(f"{len(found) - most:,} shorter ones")
    return ", ".join(texts)


def _text(start: datetime, end: datetime) -> str:
    shown = "%H:%M UTC" if start.date() == end.date() else "%Y-%m-%d %H:%M UTC"
    return f"{start:%Y-%m-%d %H:%M} to {end:{shown}}"
