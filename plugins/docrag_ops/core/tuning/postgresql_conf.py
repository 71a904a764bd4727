"""The text of a postgresql.conf with other values for the named settings; everything else stays, byte for byte.

Source: https://www.postgresql.org/docs/15/config-setting.html and guc-file.l: names are of any case, the last line of a
setting wins, quotes are doubled or escaped, an include counts where it stands.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LINE = re.compile(
    r"^(?P<head>[ \t\r\f]*(?P<name>[A-Za-z_\x80-\U0010ffff][\w$]*(?:\.[A-Za-z_][\w$]*)*)(?:[ \t]*=[ \t]*|[ \t]+))"
    r"(?P<value>'(?:[^'\\]|\\.|'')*'|[^\s#'=]+)"
    r"(?P<tail>[ \t\r\f]*(?:#.*)?)$"
)
_NAMED = re.compile(r"^[ \t\r\f]*([A-Za-z_\x80-\U0010ffff][\w$.]*)")
_PLAIN = re.compile(r"^(-?\d+(\.\d+)?(B|kB|MB|GB|TB|us|ms|s|min|h|d)?|[A-Za-z][\w.-]*)$")
_INCLUDES = frozenset({"include", "include_if_exists", "include_dir"})


@dataclass(frozen=True)
class LineChange:
    """One line as it was and as it is to be; no `before`: it is added at the end."""

    number: int
    before: str | None
    after: str


def digest(text: str) -> str:
    """What a text is known by."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def changes_of(text: str, values: Mapping[str, str]) -> list[LineChange]:
    """The lines that have to change for the server to read these values.

    :raises ValueError: for a line of a named setting that the server could not read either
    """
    lines = text.split("\n")
    last_include = max((n for n, line in enumerate(lines) if _name(line) in _INCLUDES), default=-1)
    changes, end = [], len(lines) - (lines[-1] == "")
    for name, value in values.items():
        found = [number for number, line in enumerate(lines) if _name(line) == name.lower()]
        if (
            not found or found[-1] < last_include
        ):  # an include after it may say otherwise: the end has the last word
            changes.append(LineChange(end, None, f"{name} = {quoted(value)}"))
            end += 1
            continue
        parts = _LINE.match(lines[found[-1]])
        if parts is None:
            raise ValueError(
                f"line {found[-1] + 1} sets {name!r}, but is not NAME = VALUE: {lines[found[-1]]!r}"
            )
        after = parts["head"] + quoted(value) + parts["tail"]
        if unquoted(parts["value"]) != value:
            changes.append(LineChange(found[-1], lines[found[-1]], after))
    return changes


def edited(text: str, changes: Sequence[LineChange]) -> str:
    """The text with these changes.

    >>> edited("work_mem = 4MB # small", changes_of("work_mem = 4MB # small", {"work_mem": "8MB"}))
    'work_mem = 8MB # small'

    :raises ValueError: when a line is not as it was
    """
    lines = text.split("\n")
    added = [change.after for change in changes if change.before is None]
    for change in changes:
        if change.before is not None:
            if lines[change.number] != change.before:
                raise ValueError(f"line {change.number + 1} is not as it was")
            lines[change.number] = change.after
    if not added:
        return "\n".join(lines)
    if lines[-1] == "":  # the text ends with a newline, and goes on doing so
        return "\n".join([*lines[:-1], *added, ""])
    return "\n".join([*lines, *added])


def restored(text: str, changes: Sequence[LineChange]) -> str:
    """The text as it was before these changes were made.

    :raises ValueError: when a line is not as they left it
    """
    lines = text.split("\n")
    for change in sorted(changes, key=lambda one: -one.number):
        if change.number >= len(lines) or lines[change.number] != change.after:
            raise ValueError(f"line {change.number + 1} is not as it was left")
        if change.before is None:
            del lines[change.number]
        else:
            lines[change.number] = change.before
    return "\n".join(lines)


def quoted(value: str) -> str:
    """A value as it stands in the file.

    >>> quoted("64MB"), quoted("1e+06"), quoted("it's")
    ('64MB', "'1e+06'", "'it''s'")
    """
    if _PLAIN.match(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def unquoted(text: str) -> str:
    """The reverse of `quoted`."""
    if not text.startswith("'"):
        return text
    return re.sub(r"''|\\(.)", lambda found: found[1] or "'", text[1:-1])


def _name(line: str) -> str:
    found = _NAMED.match(line)
    return found[1].lower() if found else ""
