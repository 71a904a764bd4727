"""Failed authentications and rate limits in logs as they stream by, counted by source, with flat memory.

What counts: a message that says so (a structured line by its message, never by other fields: a path or a title may
hold any words), and nginx' own `limiting requests, excess: …, client: 203.0.113.7` of its error log. An answer 401 or
429 in an access log is a second sign of the same, counted apart; 503 is nginx' default for a limited request and
many other things, so it is evidence only.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docrag_ops.core.environments import FAILED_WORDS
from docrag_ops.core.logs.messages import MESSAGE_KEYS, message_of

LONGEST_LINE = 256 * 1024
MOST_SOURCES = 20_000
UNKNOWN_SOURCE = "no address given"
OTHERS = "other addresses"
Json = Mapping[str, Any]

# A block is searched for these before any of its lines is looked at; each of FAILED_WORDS holds one.
HINTS = (
    b"auth",
    b"login",
    b"log in",
    b"logon",
    b"credential",
    b"password",
    b"token",
    b"key",
    b"was not found in",
)
LIMIT_HINTS = (b"limiting ", b"delaying request")
STATUS_HINTS = (b"401", b"429", b"503")
_STAMPED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(?:Z|[+-]\d\d:\d\d) ")
_UNSTAMPED = re.compile(rb"^(?!\d{4}-\d\d-\d\dT)[^\n]+$", re.MULTILINE)
_LIMITING = re.compile(rb"\blimiting (?:requests|connections by zone\b)")
_DRY_RUN = re.compile(rb"\blimiting [^,]*, dry run\b|\bdelaying request")
_CLIENT = re.compile(rb", client: ([^,\s]+)")
# The combined format and those that begin like it: address - user [time] "request" status
_ACCESS = re.compile(rb'(\S+) \S+ \S.*? \[[^\]]+\] "(?:[^"\\]|\\.)*+" (\d{3})\b')
_SOURCE = re.compile(
    r"\b(?:client|from|ip|addr|address|remote|peer|rhost|src|source)[\w.]*[ =:\"]+\[?([0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]+)"
)
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w.])"
)
_NONE_FAILED = re.compile(r"[\"']?\s*[=:]\s*[\"']?(?:0|false|null|none)\b", re.IGNORECASE)
SOURCE_KEYS = (
    *(
        "client_ip",
        "clientip",
        "client.ip",
        "client.address",
        "client",
        "remote_addr",
        "remoteaddr",
        "remote_ip",
    ),
    *("remoteip", "source_ip", "source.ip", "source.address", "src_ip", "src", "ip", "ip_address", "address"),
    *(
        "peer",
        "addr",
        "remote",
        "x_forwarded_for",
        "x-forwarded-for",
        "http_x_forwarded_for",
        "forwarded_for",
    ),
)
STATUS_KEYS = ("status", "status_code", "statuscode", "http.status_code", "http.response.status_code", "code")


@dataclass
class AccessCounts:
    """What one container's log holds."""

    lines: int = 0
    first_at: str = ""
    last_at: str = ""
    complaint: str = ""
    failed: Counter[str] = field(default_factory=Counter)
    limited: Counter[str] = field(default_factory=Counter)
    answers: dict[int, Counter[str]] = field(
        default_factory=lambda: {401: Counter(), 429: Counter(), 503: Counter()}
    )
    not_refused: int = 0
    """Requests that nginx delayed, or would have refused if it were not a dry run."""
    example: str = ""


class AccessReader:
    """Reads logs for failures, by the words (regular expressions) that say so in a message."""

    def __init__(self, failed_words: tuple[str, ...] = FAILED_WORDS) -> None:
        self._lines = _lines_with_hints if failed_words == FAILED_WORDS else _all_lines
        self._failed = re.compile("|".join(f"(?:{word})" for word in failed_words), re.IGNORECASE)

    def read(self, pieces: Iterable[bytes], into: AccessCounts) -> None:
        """Read one container's log to its end. What was read before an error of `pieces` stays counted."""
        for block in whole_lines(pieces):
            self._block(block, into)

    def _block(self, block: bytes, into: AccessCounts) -> None:
        into.lines += block.count(b"\n")
        for found in _UNSTAMPED.finditer(block):
            into.lines -= 1
            into.complaint = into.complaint or found[0][:300].decode("utf-8", "backslashreplace")
        first, last = block[:64], block[block.rfind(b"\n", 0, -1) + 1 :][:64]
        if stamp := _STAMPED.match(first):
            into.first_at = into.first_at or stamp[0].decode().strip()
        if stamp := _STAMPED.match(last):
            into.last_at = stamp[0].decode().strip()
        for line in self._lines(block):
            if stamp := _STAMPED.match(line):
                self._line(line[stamp.end() :], into)

    def _line(self, text: bytes, into: AccessCounts) -> None:
        if text[:1] == b"{":
            data = _parsed(text)
            if data is not None:
                self._structured(data, into)
                return
        if _LIMITING.search(text) or _DRY_RUN.search(text):
            self._limit(text, into)
        elif access := _ACCESS.match(text):
            _answered(int(access[2]), access[1].decode("utf-8", "replace"), into)
        else:
            self._said(message_of(text), text, into)

    def _limit(self, text: bytes, into: AccessCounts) -> None:
        if _DRY_RUN.search(text):
            into.not_refused += 1
            return
        client = _CLIENT.search(text)
        _count(into.limited, client[1].decode("utf-8", "replace") if client else "")

    def _structured(self, data: Json, into: AccessCounts) -> None:
        fields = {key.lower(): value for key, value in _flat(data)}
        nested = {key.rpartition(".")[2]: value for key, value in fields.items()} | fields
        source = next((str(nested[key]) for key in SOURCE_KEYS if nested.get(key)), "")
        message = " ".join(
            str(fields[key]) for key in (*MESSAGE_KEYS, "event.action", "log") if fields.get(key)
        )
        if _LIMITING.search(message.encode()) or _DRY_RUN.search(message.encode()):
            self._limit(message.encode(), into)
        elif self._has_failed(message):
            _count(into.failed, source or _source_in(message))
            into.example = message[:200]
        elif status := next((str(nested[key]) for key in STATUS_KEYS if key in nested), ""):
            _answered(int(status) if status.isdecimal() else 0, source, into)

    def _said(self, message: str, text: bytes, into: AccessCounts) -> None:
        """A line without structure: nginx puts the client behind what it says, others name it anywhere."""
        said = message.split(", client: ", 1)[0]
        if self._has_failed(said):
            client = _CLIENT.search(text)
            _count(into.failed, client[1].decode("utf-8", "replace") if client else _source_in(message))
            into.example = message[:200]

    def _has_failed(self, message: str) -> bool:
        """Whether a message says that an authentication failed; `auth failed: 0` says that none did."""
        return any(not _NONE_FAILED.match(message, found.end()) for found in self._failed.finditer(message))


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


def _lines_with_hints(block: bytes) -> Iterator[bytes]:
    """The lines, in their order, in which one of the hints stands."""
    lower = block.lower()
    starts: set[int] = set()
    for hint in (*HINTS, *LIMIT_HINTS, *STATUS_HINTS):
        at = lower.find(hint)
        while at >= 0:
            starts.add(lower.rfind(b"\n", 0, at) + 1)
            end = lower.find(b"\n", at)
            at = lower.find(hint, end) if end >= 0 else -1
    for start in sorted(starts):
        yield block[start : block.find(b"\n", start)]


def _all_lines(block: bytes) -> Iterator[bytes]:
    """For words of which nothing is known."""
    yield from block.split(b"\n")


def _answered(status: int, source: str, into: AccessCounts) -> None:
    if status in into.answers:
        _count(into.answers[status], source)


def _count(sources: Counter[str], text: str) -> None:
    source = address_in(text) or UNKNOWN_SOURCE
    sources[source if source in sources or len(sources) < MOST_SOURCES else OTHERS] += 1


def address_in(text: str) -> str:
    """The address that a field holds, without port and brackets; of a list (X-Forwarded-For) the first.

    >>> address_in("203.0.113.7:51234"), address_in("[2001:db8::1]:443"), address_in("198.51.100.2, 10.0.0.1")
    ('203.0.113.7', '2001:db8::1', '198.51.100.2')
    >>> address_in("unix:")
    ''
    """
    first = text.split(",", 1)[0].strip().strip('"')
    if first.startswith("["):
        first = first[1:].partition("]")[0]
    elif first.count(":") == 1:
        first = first.partition(":")[0]
    try:
        address = ipaddress.ip_address(first.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _source_in(message: str) -> str:
    """The address that a sentence names as the source, else the first that it names at all."""
    named = [address_in(found[1].rstrip(".:")) for found in _SOURCE.finditer(message)]
    anywhere = (address_in(found[0]) for found in _ADDRESS.finditer(message))
    return next(filter(None, named), "") or next(filter(None, anywhere), "")


def _parsed(text: bytes) -> Json | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _flat(data: Json, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Scalars by their path, two levels deep."""
    for key, value in data.items():
        if isinstance(value, dict):
            if depth < 2:
                yield from _flat(value, f"{prefix}{key}.", depth + 1)
        elif not isinstance(value, list):
            yield f"{prefix}{key}", value


@dataclass(frozen=True)
class Signs:
    """Events of all logs together, by source; `by` says which sign they were counted by."""

    sources: Counter[str]
    by: str

    @property
    def total(self) -> int:
        """All of them."""
        return self.sources.total()


def failures(counts: Sequence[tuple[str, AccessCounts]]) -> Signs:
    """Messages that say so; where no log has one, the answers 401 of the container with the most of them."""
    return _signs(counts, [one.failed for _, one in counts], "messages", 401)


def limits(counts: Sequence[tuple[str, AccessCounts]]) -> Signs:
    """Refusals in nginx' error log; where there is none, the answers 429 of the container with the most of them."""
    return _signs(counts, [one.limited for _, one in counts], "refusals in the error log", 429)


def _signs(
    counts: Sequence[tuple[str, AccessCounts]], events: Iterable[Counter[str]], what: str, status: int
) -> Signs:
    said: Counter[str] = Counter()
    for sources in events:
        said.update(sources)
    by_container: dict[str, Counter[str]] = {}
    for container, one in counts:
        by_container.setdefault(container, Counter()).update(one.answers[status])
    answered = max(by_container.values(), key=Counter.total, default=Counter())
    if said or not answered:
        return Signs(said, what)
    return Signs(answered, f"answers {status} in access logs")
