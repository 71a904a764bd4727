"""Which index a table would need, by what statements compare its columns with.

A guess from text, to be looked at with EXPLAIN: it knows neither selectivity nor what a function hides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_COLUMNS = 3
_VALUE = r"(?:\$\d|ANY\b|now\(|CURRENT_)"
_EQUAL = rf"(?:=\s*\(?\s*{_VALUE}|\s+IN\s*\(\s*\$\d)"
_RANGE = rf"(?:(?:<(?!>)|>)=?\s*\(?\s*{_VALUE}|\s+BETWEEN\s+\$\d)"
_BEFORE, _AFTER = r'(?<![\w$"])', r'(?![\w$"])'
"""Where an identifier begins and ends."""
_ALIAS = r'\s+(?:AS\s+)?("(?:[^"]|"")+"|[A-Za-z_]\w*)'
_NO_ALIAS = re.compile(
    r"(?i)cross|from|full|group|inner|join|left|limit|natural|on|order|returning|right|set|using|values|where"
)
_CLAUSE_END = r"\b(?:GROUP\s+BY|ORDER\s+BY|LIMIT|RETURNING|HAVING|UNION)\b"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with its columns, and those of them that no index begins with."""

    schema: str
    name: str
    columns: Sequence[str]
    unindexed: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A statement that reads the table, and the columns of the index that would serve it (none: nobody knows)."""

    query: str
    columns: tuple[str, ...]


def suggest(table: Table, statements: Iterable[str]) -> Suggestion | None:
    """The first statement with a usable condition, else the first that mentions the table.

    :param statements: normalised texts, those with the most time first
    """
    mentioning = [text for text in statements if _mentions(text, table.name)]
    for text in mentioning:
        columns = _conditions(text, table)
        if columns:
            return Suggestion(query=text, columns=columns)
    return Suggestion(query=mentioning[0], columns=()) if mentioning else None


def create_index(table: Table, columns: Sequence[str]) -> str:
    """The statement that creates it.

    >>> table = Table(schema="public", name="Odd name", columns=(), unindexed=())
    >>> create_index(table, ["user id"])
    'CREATE INDEX CONCURRENTLY ON "public"."Odd name" ("user id");'
    """
    listed = ", ".join(quoted(one) for one in columns)
    return f"CREATE INDEX CONCURRENTLY ON {quoted(table.schema)}.{quoted(table.name)} ({listed});"


def quoted(name: str) -> str:
    """An identifier as SQL takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _named(name: str) -> str:
    """A pattern that finds an identifier, quoted or (where SQL allows it) bare and in any case."""
    with_quotes = re.escape(quoted(name))
    if re.fullmatch(r"[a-z_][a-z0-9_$]*", name):
        return f"(?:{with_quotes}|{_BEFORE}(?i:{re.escape(name)}){_AFTER})"
    return with_quotes


def _mentions(text: str, name: str) -> bool:
    before = r"(?i:\b(?:FROM|JOIN|UPDATE|INTO)\s+|,\s*)(?i:ONLY\s+)?"
    schema = r'(?:(?:"(?:[^"]|"")+"|\w+)\.)?'
    return re.search(before + schema + _named(name), text) is not None


def _conditions(text: str, table: Table) -> tuple[str, ...]:
    """Columns compared with values: equal ones first, then one of a range; none when an index serves them already."""
    parts = re.split(r"(?i)\bWHERE\b", text, maxsplit=1)
    if len(parts) < 2:
        return ()
    condition = re.split(f"(?i){_CLAUSE_END}", parts[1], maxsplit=1)[0]
    if re.search(r"(?i)\bOR\b|\bSELECT\b", condition):
        return ()
    own = _qualifiers(text, table.name)
    equal = _compared(condition, table, own, _EQUAL)
    ranges = [one for one in _compared(condition, table, own, _RANGE) if one not in equal]
    columns = (*equal, *ranges[:1])[:MOST_COLUMNS]
    return columns if columns and all(one in table.unindexed for one in columns) else ()


def _compared(condition: str, table: Table, own: str, operator: str) -> list[str]:
    """The columns that stand before an operator, in the order of the text."""
    start = rf'(?:(?<![\w$."])|{own}\.)'
    found = []
    for column in table.columns:
        match = re.search(start + _named_after_dot(column) + rf"\s*(?i:{operator})", condition)
        if match:
            found.append((match.start(), column))
    return [column for _, column in sorted(found)]


def _named_after_dot(name: str) -> str:
    """As `_named`, where what stands before it has been looked at."""
    with_quotes = re.escape(quoted(name))
    if re.fullmatch(r"[a-z_][a-z0-9_$]*", name):
        return f"(?:{with_quotes}|(?i:{re.escape(name)}){_AFTER})"
    return with_quotes


def _qualifiers(text: str, name: str) -> str:
    """A pattern for what the table is called in the statement: its name, or its alias."""
    alias = re.search(_named(name) + f"(?i:{_ALIAS})", text)
    if alias and not _NO_ALIAS.fullmatch(alias[1]):
        return f"(?:{_named(name)}|{_BEFORE}{re.escape(alias[1])})"
    return _named(name)
