"""What a restore came to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from docrag_ops.core.backups.dump_scan import DumpScan
from docrag_ops.core.backups.names import Span
from docrag_ops.core.measurements import Measurement

EXTENSIONS = "extensions"
_FIRST_ERROR = re.compile(
    r"(ERROR|FATAL|PANIC):\s+([0-9A-Z]{5}): (.*?)(?=\s(?:DETAIL|HINT|CONTEXT|QUERY|LOCATION|LINE \d+):|$)"
)
_DATA_EXCEPTION = "22"  # invalid input syntax for type integer: "…"
# What psql may fail with that says nothing about the dump: rights, resources, the operator, the connection, and what
# the scratch server does not have: an extension, a dictionary's file, a role, a locale.
_NOT_THE_DUMP = ("42501", "53", "57", "58", "08", "0A000", "F0", "XX")
_NOT_THERE = re.compile(
    r'\A(?:(?:role|tablespace|access method|collation) "[^"]*"(?: for encoding "[^"]*")? does not exist|'
    r"could not create locale |collations? with )"
)


@dataclass(frozen=True, kw_only=True)
class TableRows:
    """Rows of a table, restored (None: it could not be counted) and live (None: nobody knows)."""

    table: str
    restored: int | None
    live: float | None
    problem: str = ""


@dataclass(kw_only=True)
class Restored:
    """A dump's restore, with as much as could be found out.

    `failure`: the dump is bad. `problem`: the drill could not be done, which says nothing about the dump.
    `written_until` is the newest row's time, restored and live.
    """

    series: str
    file_name: str
    span: Span | None = None
    scan: DumpScan | None = None
    failure: str = ""
    problem: str = ""
    seconds: float | None = None
    missing: dict[str, list[str]] = field(default_factory=dict)
    rows: list[TableRows] = field(default_factory=list)
    written_until: tuple[datetime | None, datetime | None] | None = None
    trouble: dict[str, str] = field(default_factory=dict)
    answer: str | None = None

    def unproven(self, question: str) -> Measurement | None:
        """The measurement of a question that nothing was found out about."""
        why = self.failure or self.problem
        said = f"{self.file_name} was not restored: {why}" if why else self.trouble.get(question, "")
        return Measurement(subject=self.series, problem=said) if said else None


def is_the_dumps_fault(said: str) -> bool:
    """Whether what psql complained about is the dump's, by the SQLSTATE of its first error.

    >>> is_the_dumps_fault('psql:<stdin>:9: ERROR:  23505: could not create unique index "users_pkey"')
    True
    """
    found = _FIRST_ERROR.search(said)
    return bool(found and not found[2].startswith(_NOT_THE_DUMP) and not _NOT_THERE.match(found[3]))


def is_about_what_is_not_there(said: str) -> bool:
    """Whether the first error is about a type, a function or an operator class that does not exist."""
    found = _FIRST_ERROR.search(said)
    return found is not None and found[2] in ("42704", "42883")


def other_versions(live: Mapping[str, str], scratch: Mapping[str, str]) -> list[str]:
    """The live database's extensions of which the scratch server has another version, or none, in words."""
    return [
        f"the scratch server has {f'{name} {scratch[name]}' if name in scratch else f'no {name}'}, the live database "
        f"{version}"
        for name, version in live.items()
        if scratch.get(name) != version
    ]


def error_of(said: str) -> str:
    """The first error without its details: those quote rows, and a report is no place for rows.

    >>> error_of('psql:<stdin>:9: ERROR:  23505: could not create it DETAIL:  Key (mail)=(a@b) is duplicated.')
    'ERROR 23505: could not create it'
    """
    found = _FIRST_ERROR.search(said)
    if not found:
        return said
    message = found[3].partition(': "')[0] if found[2].startswith(_DATA_EXCEPTION) else found[3]
    return f"{found[1]} {found[2]}: {message}"


def missing(
    live: Iterable[Mapping[str, Any]], restored: Iterable[Mapping[str, Any]], *, extensions: Collection[str]
) -> dict[str, list[str]]:
    """The objects that the live database has and the restored one lacks, by kind; every kind of the live one.

    :param extensions: those of the dump; in the restored database all of the live one's were made before
    """
    there = {(row["kind"], row["name"]) for row in restored if row["kind"] != EXTENSIONS}
    there |= {(EXTENSIONS, name) for name in (*extensions, "plpgsql")}
    found: dict[str, list[str]] = {}
    for row in live:
        lacking = found.setdefault(row["kind"], [])
        if (row["kind"], row["name"]) not in there:
            lacking.append(row["name"])
    return found
