"""Logs that come in pieces, as blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LONGEST_LINE = 256 * 1024


def whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks that end with a newline, of pieces cut anywhere. A line beyond 256 KiB is kept by its beginning."""
    rest, skipping = b"", False
    for piece in pieces:
        if skipping:
            _, newline, piece = piece.partition(b"\n")
            if not newline:
                continue
            skipping = False
        whole, newline, tail = piece.rpartition(b"\n")
        if newline:
            yield rest + whole + newline
            rest = tail
        else:
            rest += tail
        if len(rest) > LONGEST_LINE:
            yield rest[:LONGEST_LINE] + b"\n"
            rest, skipping = b"", True
    if rest:
        yield rest + b"\n"
