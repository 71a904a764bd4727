"""Reading a dump's text before anything of it is run: is it whole, and does it stay inside its database?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from docrag_ops.core.backups.errors import DamagedError, UnreadableError
from docrag_ops.core.backups.sql_text import Kind, Piece, pieces
from docrag_ops.core.backups.statements import Fate, as_run, fate_of
from docrag_ops.core.texts import one_line, shortened

MOST_NAMED = 5
OLD_STRINGS = b"SET standard_conforming_strings = off;"
_BEGIN = re.compile(rb"^-- PostgreSQL database (?:cluster )?dump$", re.MULTILINE)
_COMPLETE = re.compile(rb"^-- PostgreSQL database (?:cluster )?dump complete$", re.MULTILINE)
_VERSION = re.compile(rb"^-- Dumped from database version (\d+)", re.MULTILINE)
_CHANGED = re.compile(rb"^-- PostgreSQL database (?:cluster )?dump\r$", re.MULTILINE)
_EXTENSION = re.compile(rb'CREATE EXTENSION IF NOT EXISTS ("(?:[^"]|"")+"|\w+)')
_STARTED = re.compile(rb"^-- Started on (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:UTC|GMT)\s*$", re.MULTILINE)


@dataclass
class DumpScan:
    """What the text of a dump says.

    `leaves` and `refused` are statements, shortened, the first few of each; `unnamed` counts more that are refused.
    `extensions` are the names of those that it brings, `database` the one that it connects to (of pg_dump --create).
    """

    server_major: int | None = None
    started_at: datetime | None = None
    begins: bool = False
    is_complete: bool = False
    connects: int = 0
    database: str = ""
    leaves: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unnamed: int = 0
    extensions: set[str] = field(default_factory=set)

    def see(self, piece: Piece) -> Fate:
        """Note one piece after the other; returns what becomes of it."""
        if piece.kind is Kind.ROWS:
            return Fate.RUN
        self._see_comments(piece)
        if piece.statement == OLD_STRINGS:
            raise UnreadableError(
                "it was made with standard_conforming_strings off, and is not restored here"
            )
        fate = fate_of(piece)
        if piece.statement.startswith(b"\\connect"):
            self.connects += 1
            self.database = self.database or _database(piece.statement)
            if self.connects > 1:
                fate = Fate.REFUSE  # a dump of several databases
        if fate in (Fate.LEAVES, Fate.REFUSE):
            self._name(piece, is_refused=fate is Fate.REFUSE)
        if found := _EXTENSION.match(piece.statement):
            self.extensions.add(found[1].decode("utf-8", "replace").strip('"').replace('""', '"'))
        return fate

    def _see_comments(self, piece: Piece) -> None:
        head = piece.text[: len(piece.text) - len(piece.statement)] if piece.statement else piece.text
        if piece.kind is Kind.STATEMENT:
            self.is_complete = False
        if b"--" not in head:
            return
        if _CHANGED.search(head):
            raise UnreadableError(
                "its lines end in CR LF: it was changed on its way, and functions and rows with it"
            )
        self.begins = self.begins or bool(_BEGIN.search(head))
        if found := _VERSION.search(head):
            self.server_major = int(found[1])
        if found := _STARTED.search(head):
            self.started_at = datetime.strptime(found[1].decode(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        self.is_complete = self.is_complete or bool(_COMPLETE.search(head))

    def _name(self, piece: Piece, *, is_refused: bool) -> None:
        kept = self.refused if is_refused else self.leaves
        if len(kept) < MOST_NAMED:
            text = one_line(piece.statement[:300].decode("utf-8", "replace")).rstrip(";")
            kept.append(shortened(text, size_bytes=120))
        else:
            self.unnamed += is_refused

    def require_whole(self) -> None:
        """Refuse a text without the comments that pg_dump begins and ends with.

        :raises DamagedError: when one is missing.
        """
        if not self.begins:
            raise DamagedError("it does not begin with pg_dump's own comment: no dump in SQL")
        if not self.is_complete:
            raise DamagedError("pg_dump's comment 'PostgreSQL database dump complete' is missing at its end")

    def refusal(self) -> str:
        """Why the dump is not restored at all; nothing when it may be."""
        if not self.refused:
            return ""
        rest = f" and {self.unnamed:,} more" if self.unnamed else ""
        return f"it would leave its database or do what no dump does: {'; '.join(self.refused)}{rest}"


def _database(connect: bytes) -> str:
    """The name in a `\\connect`; nothing where it is quoted in a way of its own."""
    found = re.fullmatch(rb'\\connect (?:(\w+)|"([^"=]+)")', connect)
    return (found[1] or found[2]).decode("utf-8", "replace") if found else ""


def scan(chunks: Iterable[bytes]) -> DumpScan:
    """Read a dump's whole text.

    :raises DamagedError: when it is not whole.
    :raises UnreadableError: when it is no text that pg_dump writes.
    """
    found = DumpScan()
    for piece in pieces(chunks):
        found.see(piece)
    found.require_whole()
    return found


def runnable(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The text that psql may get: only what is on the list, cut where psql would cut it.

    :raises UnreadableError: at the first statement that is not to be run; nothing of it was given.
    :raises DamagedError: when the dump is not whole.
    """
    found = DumpScan()
    for piece in pieces(chunks):
        fate = found.see(piece)
        if fate is Fate.REFUSE:
            raise UnreadableError(found.refusal())
        if fate is Fate.RUN and (text := as_run(piece)):
            yield text
    found.require_whole()
