"""What the newest file of a series is measured by, whatever it is a backup of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from statistics import median

from docrag_ops.core.backups.examined import Examined, why_not
from docrag_ops.core.measurements import Measurement
from docrag_ops.core.units import Unit, format_value

COMPARED_FILES = 7
FEWEST_COMPARED = 3
AHEAD_SECONDS = 3600


def present(one: Examined) -> Measurement:
    """0 when there is a file that is not empty, else 1."""
    if one.newest is None:
        return Measurement(subject=one.series, value=1, evidence=f"no file is named like {one.pattern}")
    size = one.newest.file.size_bytes
    return Measurement(
        subject=one.series, value=int(not size), evidence=f"{one.file_name}, {format_value(size, Unit.BYTES)}"
    )


def age_seconds(one: Examined, now: datetime, *, old_seconds: float = 0) -> Measurement:
    """Seconds since the time inside the newest file; of SQL text, the least that it can be, where that is old."""
    made_at = one.content.made_at
    if made_at is None:
        return _least_age(one, now, old_seconds) or _without_time(one)
    evidence = f"{one.file_name} was made at {made_at:%Y-%m-%d %H:%M} UTC, says {one.content.made_by}"
    if (now - made_at).total_seconds() < -AHEAD_SECONDS:
        return Measurement(
            subject=one.series, problem=f"{evidence}, which is in the future: check the clocks"
        )
    return Measurement(subject=one.series, value=max(0.0, (now - made_at).total_seconds()), evidence=evidence)


def seconds_beside_name(one: Examined) -> Measurement:
    """How far the time inside lies outside of the day (or hour) that the name states."""
    made_at, span = one.content.made_at, one.newest.span if one.newest else None
    if one.newest and span is None:
        return Measurement(subject=one.series, not_judged=f"its names ({one.pattern}) state no day")
    if made_at is None or span is None:
        return _without_time(one)
    evidence = f"{one.file_name} was made at {made_at:%Y-%m-%d %H:%M} UTC, says {one.content.made_by}"
    return Measurement(subject=one.series, value=span.seconds_outside(made_at), evidence=evidence)


def seconds_beside_file_time(one: Examined) -> Measurement:
    """How far the time inside lies from the time that the storage has for the file."""
    made_at = one.content.made_at
    if made_at is None or one.newest is None:
        return _without_time(one)
    written_at = one.newest.file.modified_at
    if written_at is None:
        return Measurement(
            subject=one.series, not_judged="the storage does not say when the file was written"
        )
    evidence = (
        f"{one.file_name} was written at {written_at:%Y-%m-%d %H:%M} UTC and made at {made_at:%Y-%m-%d %H:%M} UTC, "
        f"says {one.content.made_by}"
    )
    return Measurement(
        subject=one.series, value=abs((written_at - made_at).total_seconds()), evidence=evidence
    )


def _least_age(one: Examined, now: datetime, old_seconds: float) -> Measurement | None:
    """SQL text was not made after the day of its name, nor after it was written: a proof that it is old, never of the
    contrary."""
    if one.newest is None or not one.is_sql or one.content.damage or one.content.unreadable:
        return None
    span = one.newest.span
    if span and (span.begins_at - now).total_seconds() > AHEAD_SECONDS:
        said = f"{one.file_name} is called after a time that has not come: what was made last is hidden behind it"
        return Measurement(subject=one.series, problem=said)
    ends = (span.ends_at if span else None, one.newest.file.modified_at)
    latest = min((end for end in ends if end), default=now)
    seconds = (now - latest).total_seconds()
    if seconds <= old_seconds:
        return None
    evidence = (
        f"{one.file_name} was made at {latest:%Y-%m-%d %H:%M} UTC or before, say its name and the storage"
    )
    return Measurement(subject=one.series, value=seconds, evidence=evidence)


def _without_time(one: Examined) -> Measurement:
    content = one.content
    if one.newest is None or content.damage or content.unreadable:
        return Measurement(subject=one.series, problem=why_not(one))
    if one.is_sql:
        return Measurement(
            subject=one.series,
            not_judged="SQL text has no time inside; its newest row is judged once it is restored",
        )
    return Measurement(subject=one.series, problem=f"{one.file_name} has no time inside")


def size_times_median(one: Examined) -> Measurement:
    """The newest file's size as a multiple of the median of the seven before it."""
    if one.newest is None:
        return Measurement(subject=one.series, problem=why_not(one))
    sizes = [file.size_bytes for file in one.earlier[:COMPARED_FILES]]
    if len(sizes) < FEWEST_COMPARED:
        return Measurement(
            subject=one.series, not_judged=f"needs {FEWEST_COMPARED} earlier backups, has {len(sizes)}"
        )
    usual, size = median(sizes), one.newest.file.size_bytes
    evidence = (
        f"{one.file_name} has {format_value(size, Unit.BYTES)}, the {len(sizes)} before it usually "
        f"{format_value(usual, Unit.BYTES)}"
    )
    if not usual:
        return Measurement(subject=one.series, problem=f"{evidence}: there is nothing to compare with")
    return Measurement(subject=one.series, value=size / usual, evidence=evidence)


def damage(one: Examined) -> Measurement:
    """0 when the file was read to its end and is whole, 1 with the reason when it is bad."""
    content = one.content
    if one.newest is None or content.unreadable:
        return Measurement(subject=one.series, problem=why_not(one))
    evidence = f"{one.file_name}: {content.damage or content.evidence}"
    return Measurement(subject=one.series, value=int(bool(content.damage)), evidence=evidence)


def checksum(one: Examined) -> Measurement:
    """0 when the file has the checksum that is kept beside it, else 1."""
    differs = one.content.checksum_differs
    if one.newest is None or (differs is None and one.content.unreadable):
        return Measurement(subject=one.series, problem=why_not(one))
    if differs is None:
        return Measurement(subject=one.series, not_judged="not configured: no checksum is kept beside it")
    return Measurement(
        subject=one.series,
        value=int(bool(differs)),
        evidence=f"{one.file_name}: {differs or 'its checksum agrees'}",
    )


def kept(one: Examined) -> Measurement:
    """How many files of the series are kept, but for empty ones."""
    files = [file for file in ((one.newest.file,) if one.newest else ()) + one.earlier if file.size_bytes]
    evidence = (
        f"from {files[-1].name} to {files[0].name}" if files else f"no file is named like {one.pattern}"
    )
    return Measurement(subject=one.series, value=len(files), evidence=evidence)


ByFile = Callable[[Examined], Measurement]
BY_FILE: dict[str, ByFile] = {
    "present": present,
    "name": seconds_beside_name,
    "file_time": seconds_beside_file_time,
    "size": size_times_median,
    "whole": damage,
    "checksum": checksum,
    "kept": kept,
}
