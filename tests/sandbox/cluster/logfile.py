"""One log file, each line `<RFC3339Nano UTC> <text>`; found by time or from the end, read in pieces."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

PIECE_BYTES = 64 * 1024
STAMP = re.compile(rb"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|\+00:00) ")


class LogFile:
    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")

    def __enter__(self) -> LogFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
                 ) -> None:  # fmt: skip
        self._file.close()

    def start(self, since: str | None, tail_lines: int | None) -> int:
        """Where the asked-for lines begin: the later of both bounds."""
        by_time = 0 if since is None else self._position_of(since.rstrip("Z").encode())
        return max(by_time, 0 if tail_lines is None else self._position_of_tail(tail_lines))

    def read_from(self, position: int, *, timestamps: bool) -> Iterator[bytes]:
        self._file.seek(position)
        return self.read_on(timestamps=timestamps)

    def read_on(self, *, timestamps: bool) -> Iterator[bytes]:
        """Whole lines in pieces, from here to the end; a line still being written is left for later."""
        rest = b""
        while piece := self._file.read(PIECE_BYTES):
            whole, newline, rest = (rest + piece).rpartition(b"\n")
            if newline:
                yield whole + b"\n" if timestamps else _unstamped(whole)
        self._file.seek(-len(rest), os.SEEK_CUR)

    def _position_of(self, since: bytes) -> int:
        """The first line that is not older: by bisection, since lines are in the order of time."""
        low, high = 0, self._size()
        while low < high:
            middle = (low + high) // 2
            begin, stamp = self._stamp_after(middle)
            if stamp is None or stamp >= since:
                high = middle
            else:
                low = max(begin + 1, middle + 1)
        return self._stamp_after(low)[0]

    def _stamp_after(self, position: int) -> tuple[int, bytes | None]:
        """The first line that begins at or after this position and has a time; the end when there is none."""
        self._file.seek(max(position - 1, 0))
        if position:
            self._file.readline()
        begin = self._file.tell()
        for line in iter(self._file.readline, b""):
            if match := STAMP.match(line):
                return begin, match.group(1)
            begin += len(line)
        return begin, None

    def _position_of_tail(self, lines: int) -> int:
        position = self._size()
        wanted = lines + 1  # the newline before the first wanted line
        self._file.seek(max(position - 1, 0))
        if position and self._file.read(1) != b"\n":
            wanted -= 1
        if not lines:
            return position
        while position:
            begin = max(position - PIECE_BYTES, 0)
            self._file.seek(begin)
            piece = self._file.read(position - begin)
            while (newline := piece.rfind(b"\n")) >= 0:
                wanted -= 1
                if not wanted:
                    return begin + newline + 1
                piece = piece[:newline]
            position = begin
        return 0

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size


def _unstamped(lines: bytes) -> bytes:
    return b"".join(STAMP.sub(b"", line, count=1) + b"\n" for line in lines.split(b"\n"))
