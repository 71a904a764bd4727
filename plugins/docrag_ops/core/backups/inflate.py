"""Unpacking a stream, whole and checked to its last byte, in memory that does not grow with it."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from docrag_ops.core.backups.errors import DamagedError, UnreadableError

PIECE_BYTES = 512 * 1024
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"\x04\x22\x4d\x18": "packed with lz4",
    b"age-encryption": "encrypted with age",
    b"-----BEGIN PGP": "encrypted with OpenPGP",
    b"\x85\x01": "encrypted with OpenPGP",
    b"\x85\x02": "encrypted with OpenPGP",
    b"\x84\x5e": "encrypted with OpenPGP",
    b"\x8c\x0d": "encrypted with OpenPGP",
    b"Salted__": "encrypted with OpenSSL",
    b"PK\x03\x04": "a ZIP file",
}


def inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a gzip, bzip2 or xz stream in pieces; any other stream as it is.

    :raises DamagedError: when it is empty, ends early, fails its own checksum, or has something behind its end.
    :raises UnreadableError: when it is packed or encrypted in a way that cannot be undone here.
    """
    stream = iter(chunks)
    first = next((chunk for chunk in stream if chunk), b"")
    if not first:
        raise DamagedError("the file is empty")
    while len(first) < 16:
        more = next(stream, b"")
        if not more:
            break
        first += more
    for magic, what in _FOREIGN.items():
        if first.startswith(magic):
            raise UnreadableError(f"it is {what}, which cannot be read here")
    make = next((make for magic, make in _packings().items() if first.startswith(magic)), None)
    if make is None:
        yield first
        yield from stream
    else:
        yield from _unpacked(first, stream, make)


def _unpacked(first: bytes, stream: Iterator[bytes], make: Callable[[], Any]) -> Iterator[bytes]:
    """All members one after the other, as gzip files may be concatenated; zeros behind the last are padding."""
    inflater, waiting, given = make(), first, 0
    while True:
        try:
            content = inflater.decompress(waiting, PIECE_BYTES)
        except _ERRORS as error:
            raise DamagedError(f"unpacking fails after {given:,} bytes: {error}") from error
        given += len(content)
        if content:
            yield content
        waiting = b""
        if inflater.eof:
            rest = (inflater.unused_data or next(stream, b"")).lstrip(b"\0")
            while not rest:
                more = next(stream, None)
                if more is None:
                    return
                rest = more.lstrip(b"\0")
            inflater, waiting = make(), rest
        elif inflater.needs_input:
            waiting = next(stream, b"")
            if not waiting:
                raise DamagedError(f"the packed stream ends early, after {given:,} bytes of content")


class _Zlib:
    """zlib's own inflater with the manners of the others, where `isal` has no build."""

    def __init__(self) -> None:
        self._inflater, self._full = zlib.decompressobj(wbits=31), False

    def decompress(self, data: bytes, size: int) -> bytes:
        content = self._inflater.decompress(self._inflater.unconsumed_tail + data, size)
        self._full = len(content) == size  # there may be more, although all input is taken
        return content

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inflater.unconsumed_tail and not self._full


def _gzip() -> Callable[[], Any]:
    """Intel's inflater takes a quarter of gunzip's time; zlib does the same work where it is not installed."""
    try:
        from isal import igzip_lib
    except ImportError:
        return _Zlib
    return lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _packings() -> dict[bytes, Callable[[], Any]]:
    return {b"\x1f\x8b": _gzip(), b"BZh": bz2.BZ2Decompressor, b"\xfd7zXZ\x00": lzma.LZMADecompressor}


def _errors() -> tuple[type[Exception], ...]:
    known: tuple[type[Exception], ...] = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)
    try:
        from isal import igzip_lib
    except ImportError:
        return known
    return (*known, cast("type[Exception]", igzip_lib.IsalError))


_ERRORS = _errors()
