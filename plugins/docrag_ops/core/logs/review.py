"""A review of logs as they stream by: lines by level, templates of errors and warnings, with flat memory.

A line comes as the kubelet sends it with `timestamps=true`: `<RFC 3339 time> <text>`. What has no such time is no
line of the container but a complaint of the kubelet's, sent with HTTP 200.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from docrag_ops.core.logs.levels import INFO_RUN, Level, is_doubtful, level_of
from docrag_ops.core.logs.messages import message_of
from docrag_ops.core.logs.templates import TemplateMiner

LONGEST_LINE = 256 * 1024

_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(?:Z|[+-]\d\d:\d\d)")
_CONTINUES = re.compile(
    rb"\s|$|Caused by: |at [\w.$<]+\(|\.\.\. \d+ (?:more|common)|Traceback \(most recent|During handling of |"
    rb"The above exception|goroutine \d+ \[|created by |stack backtrace:|note: (?:run with|Some details)|[)\]}]+[,;]?$"
)
_GO_FRAME = re.compile(rb"[\w./*()-]+\(.*\)$|exit status \d|\[signal ")
_TRACEBACK = b"Traceback (most recent call last):"
_PANICKED = re.compile(rb"thread '[^']*' (?:\(\d+\) )?panicked at ")


@dataclass
class Coverage:
    """What was read of one container: the times of the first and last line, and what was no line."""

    pod: str
    lines: int = 0
    first_at: str = ""
    last_at: str = ""
    size_bytes: int = 0
    unreadable: int = 0
    complaint: str = ""


@dataclass
class Review:
    """Of all containers together."""

    miner: TemplateMiner = field(default_factory=TemplateMiner)
    counts: Counter[Level] = field(default_factory=Counter)
    coverage: list[Coverage] = field(default_factory=list)
    doubtful: int = 0
    doubtful_example: str = ""

    def read(self, pod: str, pieces: Iterable[bytes]) -> Coverage:
        """Read one container's log to its end. What was read before an error of `pieces` stays counted."""
        reader = _Reader(self, Coverage(pod))
        self.coverage.append(reader.coverage)
        try:
            for piece in pieces:
                reader.feed(piece)
        finally:
            reader.finish()
        return reader.coverage

    @property
    def lines(self) -> int:
        """All lines, those of stack traces too."""
        return self.counts.total()

    @property
    def entries(self) -> int:
        """Lines but for those that belong to the line before."""
        return self.lines - self.counts[Level.CONTINUED]

    @property
    def errors(self) -> int:
        """Entries at error or worse."""
        return sum(count for level, count in self.counts.items() if level.is_error)

    @property
    def says_levels(self) -> bool:
        """Whether any entry says how bad it is; where none does, "no error" would mean nothing."""
        return self.entries > self.counts[Level.NONE]

    def doubt(self, text: bytes) -> None:
        """Count an entry that may have a level in a form that is not known."""
        self.doubtful += 1
        self.doubtful_example = self.doubtful_example or text[:300].decode("utf-8", "backslashreplace")

    def levels(self) -> str:
        """All lines by level, in words."""
        return ", ".join(f"{self.counts[level]:,} {level}" for level in Level if self.counts[level])


class _Reader:
    """The state of one stream."""

    def __init__(self, review: Review, coverage: Coverage) -> None:
        self.coverage = coverage
        self._review = review
        self._rest = b""
        self._skipping = False
        self._before = Level.NONE
        self._in_trace = False
        self._awaited: tuple[bytes, bytes] | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next piece, wherever it was cut. A line beyond 256 KiB is read by its beginning."""
        self.coverage.size_bytes += len(piece)
        if self._skipping:
            _, newline, piece = piece.partition(b"\n")
            if not newline:
                return
            self._skipping = False
        whole, newline, rest = piece.rpartition(b"\n")
        if newline:
            self._lines(self._rest + whole + newline)
            self._rest = rest
        else:
            self._rest += rest
        if len(self._rest) > LONGEST_LINE:
            self._lines(self._rest[:LONGEST_LINE] + b"\n")
            self._rest, self._skipping = b"", True

    def finish(self) -> None:
        """Read what is left: a last line without its newline."""
        if self._rest:
            self._lines(self._rest + b"\n")
            self._rest = b""
        self._mine_awaited()

    def _lines(self, block: bytes) -> None:
        """Count whole lines. A run of plain info lines becomes one empty line, which is what has no time."""
        before = block.count(b"\n")
        self._cover(block)
        block, runs = INFO_RUN.subn(b"\n", block)
        lines = block.split(b"\n")
        lines.pop()
        self._review.counts[Level.INFO] += before - len(lines) + runs
        self.coverage.lines += before
        for line in lines:
            if line:
                self._line(line)
            else:
                self._mine_awaited()
                self._before, self._in_trace = Level.INFO, False

    def _cover(self, block: bytes) -> None:
        first = _STAMP.match(block)
        last = _STAMP.match(block, block.rfind(b"\n", 0, -1) + 1)
        if first and not self.coverage.first_at:
            self.coverage.first_at = first[0].decode()
        if last:
            self.coverage.last_at = last[0].decode()

    def _line(self, line: bytes) -> None:
        stamp, _, text = line.partition(b" ")
        if not _STAMP.fullmatch(stamp):
            self.coverage.unreadable += 1
            self.coverage.lines -= 1
            self.coverage.complaint = self.coverage.complaint or line[:300].decode(
                "utf-8", "backslashreplace"
            )
            return
        level = level_of(text)
        if self._continues(level, text):
            self._review.counts[Level.CONTINUED] += 1
            return
        self._mine_awaited()
        self._review.counts[level] += 1
        if level is Level.NONE and is_doubtful(text):
            self._review.doubt(text)
        self._before, self._in_trace = level, False
        if text.startswith(_TRACEBACK) or _PANICKED.match(text):
            self._awaited, self._in_trace = (stamp, text), True
        elif level.is_mined:
            self._mine(level, stamp, text)

    def _continues(self, level: Level, text: bytes) -> bool:
        """Whether a line belongs to the one before it: a frame or the message of a stack trace."""
        if level is not Level.NONE and not (text.startswith(_TRACEBACK) and self._before.is_mined):
            return False
        if _CONTINUES.match(text):
            self._in_trace = self._in_trace or (self._before.is_mined and bool(text.strip()))
            return True
        if self._in_trace and _GO_FRAME.match(text):
            return True
        ends_trace, self._in_trace = self._in_trace, False
        if ends_trace and self._awaited:
            stamp, head = self._awaited
            self._awaited = None
            said = text if head.startswith(_TRACEBACK) else head + b" " + text
            self._mine(self._before, stamp, said)
        return ends_trace

    def _mine_awaited(self) -> None:
        """The message of a stack trace never came: its first line has to do."""
        if self._awaited:
            stamp, text = self._awaited
            self._awaited = None
            self._mine(self._before, stamp, text)

    def _mine(self, level: Level, stamp: bytes, text: bytes) -> None:
        template = self._review.miner.add(level, message_of(text))
        if template:
            template.saw(at=stamp.decode(), pod=self.coverage.pod, line=text)
