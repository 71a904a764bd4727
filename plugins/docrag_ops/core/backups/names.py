"""Names of backup files: the pattern of a series, and the time that a name states."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

_CODES = {"Y": r"\d{4}", "m": r"\d\d", "d": r"\d\d", "H": r"\d\d", "M": r"\d\d", "S": r"\d\d"}
_PART = re.compile(r"%(.)|(\*)|([^%*]+)")
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of the storage. `name` is its path below the storage's root; `modified_at` is None where unknown."""

    name: str
    size_bytes: int
    modified_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Span:
    """From when to when the time that a name states may lie."""

    begins_at: datetime
    ends_at: datetime

    def seconds_outside(self, at: datetime) -> float:
        """How far a time lies outside of the span; 0 inside."""
        return max((self.begins_at - at).total_seconds(), (at - self.ends_at).total_seconds(), 0.0)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A file of a series, with the span that its name states, if it states any."""

    file: StoredFile
    span: Span | None


def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression of a series' pattern: `*` is anything but a slash, %Y %m %d %H %M %S are digits.

    As in a shell, `*` does not begin a name with a dot: those are files that are still being written.

    :raises ValueError: for any other code, or one that comes twice.

    >>> bool(compiled("db/*-%Y%m%d.dump").fullmatch("db/node1-20261125.dump"))
    True
    """
    parts: list[str] = []
    for code, star, literal in _PART.findall(pattern):
        if star:
            parts.append("[^/]*" if parts and not parts[-1].endswith("/") else r"(?!\.)[^/]*")
        elif literal:
            parts.append(re.escape(literal))
        elif code == "%":
            parts.append("%")
        elif code in _CODES:
            parts.append(f"(?P<{code}>{_CODES[code]})")
        else:
            raise ValueError(f"%{code} is not known; expected %Y, %m, %d, %H, %M, %S, %% or *")
    try:
        return re.compile("".join(parts))
    except re.error as error:
        raise ValueError(f"the pattern {pattern!r} has a code twice ({error})") from error


def candidates(files: Iterable[StoredFile], pattern: str, *, zone: tzinfo) -> list[Candidate]:
    """The files of a series, newest first: by the time in the name, then by when they were written."""
    expression = compiled(pattern)
    found = []
    for file in files:
        match = expression.fullmatch(file.name)
        if match:
            found.append(Candidate(file=file, span=_span(match.groupdict(), zone)))
    found.sort(key=_stated, reverse=True)
    return found


def _stated(candidate: Candidate) -> tuple[float, float, str]:
    file = candidate.file
    written = file.modified_at.timestamp() if file.modified_at else 0.0
    return candidate.span.begins_at.timestamp() if candidate.span else written, written, file.name


def _span(codes: dict[str, str], zone: tzinfo) -> Span | None:
    """A name with a day states that day, one with an hour too that hour, and so on."""
    if not {"Y", "m", "d"} <= set(codes):
        return None
    given = [int(codes[code]) for code in "YmdHMS" if code in codes]
    length = {3: _DAY, 4: timedelta(hours=1), 5: timedelta(minutes=1), 6: timedelta(seconds=1)}[len(given)]
    try:
        begins = datetime(*given, tzinfo=zone)  # type: ignore[misc,arg-type]
    except ValueError:
        return None  # the 31st of February states no time
    return Span(begins_at=begins, ends_at=begins + length)
