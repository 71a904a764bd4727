"""Tar archives as streams, each header checked, to the mark at their end.

The library's own reader takes an archive that was cut, or whose header was changed, for one that ends there.
Source: POSIX pax, GNU tar's manual "Basic Tar Format".
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from docrag_ops.core.backups.errors import DamagedError

BLOCK_BYTES = 512
MOST_HEADER_BYTES = 1024 * 1024
MAGIC_AT, MAGIC = 257, b"ustar"
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


class Member:
    """A file in an archive. Its content can be read until the next member is asked for."""

    def __init__(self, name: str, size_bytes: int, changed_at: datetime | None, blocks: _Blocks) -> None:
        self.name, self.size_bytes, self.changed_at = name, size_bytes, changed_at
        self._blocks, self._left = blocks, size_bytes

    def chunks(self) -> Iterator[bytes]:
        """The content in pieces."""
        while self._left:
            piece = self._blocks.some(self._left)
            self._left -= len(piece)
            yield piece

    def content(self, *, most_bytes: int) -> bytes:
        """The whole content of a small file.

        :raises DamagedError: when it is larger.
        """
        if self.size_bytes > most_bytes:
            raise DamagedError(
                f"{self.name!r} has {self.size_bytes:,} bytes; expected at most {most_bytes:,}"
            )
        return b"".join(self.chunks())

    def skip_rest(self) -> None:
        """Go to the next header."""
        for _ in self.chunks():
            pass
        self._blocks.exactly(-self.size_bytes % BLOCK_BYTES)


def members(chunks: Iterable[bytes]) -> Iterator[Member]:
    """The files of an archive, one after the other.

    :raises DamagedError: when it is cut, a header is wrong, or something stands behind its end.
    """
    blocks, extra = _Blocks(chunks), _Extra()
    while (head := blocks.exactly(BLOCK_BYTES)) != bytes(BLOCK_BYTES):
        try:
            info = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise DamagedError(f"a header of the archive is wrong: {error}") from error
        if info.type in (
            tarfile.XHDTYPE,
            tarfile.XGLTYPE,
            tarfile.GNUTYPE_LONGNAME,
            tarfile.GNUTYPE_LONGLINK,
        ):
            extra = _extended(extra, info, blocks)
            continue
        member = Member(
            (extra.name or info.name).removeprefix("./"),
            (info.size if extra.size is None else extra.size) if info.type in _FILES else 0,
            _time(info.mtime if extra.mtime is None else extra.mtime),
            blocks,
        )
        if info.type in _FILES:
            yield member
        member.skip_rest()
        extra = _Extra()
    blocks.require_only_zeros()


@dataclass(frozen=True)
class _Extra:
    """What a header of the next member's own says about it."""

    name: str = ""
    size: int | None = None
    mtime: float | None = None


def _extended(extra: _Extra, info: tarfile.TarInfo, blocks: _Blocks) -> _Extra:
    if info.size > MOST_HEADER_BYTES:
        raise DamagedError(f"a header of the archive has {info.size:,} bytes")
    content = blocks.exactly(info.size)
    blocks.exactly(-info.size % BLOCK_BYTES)
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return _Extra(_text(content.rstrip(b"\0")), extra.size, extra.mtime)
    if info.type != tarfile.XHDTYPE:
        return extra
    known = _pax(content)
    try:
        size = int(known["size"]) if "size" in known else extra.size
        mtime = float(known["mtime"]) if "mtime" in known else extra.mtime
    except ValueError as error:
        raise DamagedError(f"a header of the archive is wrong: {error}") from error
    return _Extra(known.get("path", extra.name), size, mtime)


def _pax(content: bytes) -> dict[str, str]:
    """Records of the form `LENGTH KEY=VALUE` and a line feed."""
    found = {}
    while content:
        length, blank, _ = content.partition(b" ")
        if not (blank and length.isdigit() and 0 < int(length) <= len(content)):
            raise DamagedError("an extended header of the archive is wrong")
        key, _, value = content[len(length) + 1 : int(length) - 1].partition(b"=")
        found[_text(key)] = _text(value)
        content = content[int(length) :]
    return found


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _time(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, OSError, ValueError):
        return None


class _Blocks:
    """A stream of which exact amounts are read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._chunk = iter(chunks), memoryview(b"")

    def some(self, most: int) -> bytes:
        """At least one byte, at most so many."""
        while not self._chunk:
            more = next(self._chunks, None)
            if more is None:
                raise DamagedError("the archive ends early: its end mark is missing")
            self._chunk = memoryview(more)
        piece, self._chunk = self._chunk[:most], self._chunk[most:]
        return bytes(piece)

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        parts = []
        while size:
            parts.append(self.some(size))
            size -= len(parts[-1])
        return b"".join(parts)

    def require_only_zeros(self) -> None:
        """Read to the end of the stream: a second block of zeros, and padding of zeros.

        :raises DamagedError: when there is anything else, or the second block is missing.
        """
        if any(self.exactly(BLOCK_BYTES)):
            raise DamagedError("the archive goes on behind its end mark")
        while self._chunk or (more := next(self._chunks, None)) is not None:
            rest, self._chunk = bytes(self._chunk) or bytes(more or b""), memoryview(b"")
            if rest.strip(b"\0"):
                raise DamagedError("something stands behind the end of the archive")
