"""Failed authentications and rate limits in logs as they stream by, counted by source, with flat memory.

What counts: a message that says so (a structured line by its message, never by other fields: a path or a title may
hold any words), and nginx' own `limiting requests, excess: …, client: 203.0.113.7` of its error log. An answer 401 or
429 in an access log is a second sign of the same, counted apart; 503 is nginx' default for a limited request and
many other things, so it is evidence only.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from docrag_ops.core.logs.addresses import address_in, client_of, source_in
from docrag_ops.core.logs.blocks import whole_lines
from docrag_ops.core.logs.failed_words import FAILED_WORDS
from docrag_ops.core.logs.messages import MESSAGE_KEYS, MOST_CHARACTERS, message_of
from docrag_ops.core.texts import storable

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
    b"invalid user",
    b"pg_hba",
    b"wrongpass",
    b"jwt",
)
LIMIT_HINTS = (b"limiting ", b"delaying request")
STATUS_HINTS = (b"401", b"429", b"503")
_STAMPED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(?:Z|[+-]\d\d:\d\d) ")
_UNSTAMPED = re.compile(rb"^(?!\d{4}-\d\d-\d\dT)[^\n]+$", re.MULTILINE)
_LIMITING = re.compile(rb"\blimiting (?:requests|connections by zone\b)")
_DRY_RUN = re.compile(rb"\blimiting [^,]*, dry run\b|\bdelaying request")
_CLIENT = re.compile(rb", client: ([^,\s]+)")
# address - user [time] "request" status: the combined format and those that begin like it; and uvicorn's.
_ACCESS = re.compile(
    rb"(\S+) \S+ \S.{0,200}? \[[^\]]{1,64}\] "
    rb'"(?:[^"\\]|\\.)*+" (\d{3})\b'
)
_UVICORN = re.compile(rb'(?:INFO:\s+)?(\S{1,60}) - "[A-Z]{1,10} [^"]*+" (\d{3})\b')
# The same anywhere in a line, as actix, envoy and others write it behind a time of their own.
_ANSWERED = re.compile(rb'"[A-Z]{3,10} /[^"]*+"[ :]*(\d{3})\b')
_FORWARDED = re.compile(rb'"([0-9A-Fa-f]{0,4}[.:][0-9A-Fa-f.:, ]{2,400})"')
FORWARDED_KEYS = ("x_forwarded_for", "x-forwarded-for", "http_x_forwarded_for", "forwarded_for")
_NONE_FAILED = re.compile(r"[\"']?\s*[=:]\s*[\"']?(?:0|false|null|none)\b", re.IGNORECASE)
# Beside its message, what a line says went wrong; other fields hold what users wrote.
SAYING_KEYS = (*MESSAGE_KEYS, "event.action", "log", "error", "err", "error.message", "reason", "detail")
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
    *(
        "remoteip",
        "remote_host",
        "source_ip",
        "source.ip",
        "source.address",
        "src_ip",
        "src",
        "ip",
        "ip_address",
        "address",
    ),
    *("peer", "addr", "remote", "remoteaddress"),
)
STATUS_KEYS = ("status", "status_code", "statuscode", "http.status_code", "http.response.status_code", "code")


@dataclass
class AccessCounts:
    """What one container's log holds."""

    lines: int = 0
    size_bytes: int = 0
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
            into.size_bytes += len(block)
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
        elif access := _ACCESS.match(text) or _UVICORN.match(text):
            forwarded = _FORWARDED.search(text, access.end())
            source = address_in(access[1].decode("utf-8", "replace"))
            _answered(int(access[2]), client_of(source, forwarded[1].decode() if forwarded else ""), into)
        elif answered := _ANSWERED.search(text):
            _answered(int(answered[1]), source_in(text[:4096].decode("utf-8", "replace")), into)
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
        source, forwarded = (
            next((str(nested[key]) for key in keys if nested.get(key)), "")
            for keys in (SOURCE_KEYS, FORWARDED_KEYS)
        )
        source = client_of(address_in(source), forwarded)
        parts = (str(fields[key]) for key in SAYING_KEYS if fields.get(key))
        message = storable(" ".join(parts))[:MOST_CHARACTERS]
        said = message.encode()
        if _LIMITING.search(said) or _DRY_RUN.search(said):
            self._limit(said, into)
        elif self._has_failed(message):
            _count(into.failed, source or source_in(message))
            into.example = message[:200]
        elif status := next((str(nested[key]) for key in STATUS_KEYS if key in nested), ""):
            _answered(int(status) if status.isdecimal() and len(status) == 3 else 0, source, into)

    def _said(self, message: str, text: bytes, into: AccessCounts) -> None:
        """A line without structure: nginx puts the client behind what it says, others name it anywhere."""
        said = message.split(", client: ", 1)[0]
        if self._has_failed(said):
            client = _CLIENT.search(text)
            _count(into.failed, client[1].decode("utf-8", "replace") if client else source_in(message))
            into.example = message[:200]

    def _has_failed(self, message: str) -> bool:
        """Whether a message says that an authentication failed; `auth failed: 0` says that none did."""
        return any(not _NONE_FAILED.match(message, found.end()) for found in self._failed.finditer(message))


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
