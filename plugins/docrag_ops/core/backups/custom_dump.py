"""The head of a dump in pg_dump's custom format: when it was made, of which database, on which version.

Source: PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c, ReadHead; the layout since version 1.10 (PostgreSQL 8.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from docrag_ops.core.backups.errors import DamagedError, UnreadableError

MAGIC = b"PGDMP"
HEAD_BYTES = 4096
_CUSTOM = 1
_OLDEST = (1, 10)
_COMPRESSION_BYTE = (1, 15)


@dataclass(frozen=True, kw_only=True)
class CustomHead:
    """What the head says; `made_at` is when the dump began, by the clock of the machine that made it."""

    made_at: datetime
    database: str
    server_version: str


def read_head(head: bytes, *, zone: tzinfo) -> CustomHead:
    """Read the first bytes of a custom dump.

    :param zone: the head has the time without a zone.
    :raises DamagedError: when it is cut short or makes no sense.
    :raises UnreadableError: for another archive format of pg_dump (`tar`, `directory`), or an ancient one.
    """
    try:
        return _Reader(head).head(zone)
    except (IndexError, UnicodeDecodeError) as error:
        raise DamagedError("the head of the dump ends early or is no text") from error


class _Reader:
    def __init__(self, head: bytes) -> None:
        if not head.startswith(MAGIC):
            raise DamagedError(f"the dump begins with {head[:8]!r}; expected {MAGIC!r}")
        self._head, self._at = head, len(MAGIC)
        self._int_bytes = 4

    def head(self, zone: tzinfo) -> CustomHead:
        version = (self._byte(), self._byte())
        self._byte()
        self._int_bytes, _, kind = self._byte(), self._byte(), self._byte()
        if version < _OLDEST or kind != _CUSTOM:
            raise UnreadableError(f"it is an archive of version {version[0]}.{version[1]} and kind {kind}")
        if not 1 <= self._int_bytes <= 8:
            raise DamagedError(f"the head says that a number has {self._int_bytes} bytes")
        self._byte() if version >= _COMPRESSION_BYTE else self._int()
        second, minute, hour, day, month, year, _ = (self._int() for _ in range(7))
        database, server_version = self._text(), self._text()
        try:
            made_at = datetime(year + 1900, month + 1, day, hour, minute, min(second, 59), tzinfo=zone)
        except (ValueError, OverflowError) as error:
            raise DamagedError(f"the time in the head of the dump is none: {error}") from error
        return CustomHead(made_at=made_at, database=database, server_version=server_version)

    def _byte(self) -> int:
        self._at += 1
        return self._head[self._at - 1]

    def _int(self) -> int:
        negative = self._byte()
        number = sum(self._byte() << (8 * place) for place in range(self._int_bytes))
        return -number if negative else number

    def _text(self) -> str:
        length = self._int()
        if length < 0:
            return ""
        if length > len(self._head) - self._at:
            raise DamagedError(f"the head of the dump has a text of {length:,} bytes")
        self._at += length
        return self._head[self._at - length : self._at].decode()
