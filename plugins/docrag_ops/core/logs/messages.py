"""What a log line says, without its time and level: the text that templates are mined from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from docrag_ops.core.logs.levels import KEYS, PLAIN_LEVEL
from docrag_ops.core.texts import storable

MESSAGE_KEYS = ("message", "msg", "event", "fields.message", "@m", "@mt")
MOST_CHARACTERS = 1000
MOST_BYTES = 16_384
_LEFT_OUT = frozenset(
    {*KEYS, *MESSAGE_KEYS, "time", "ts", "timestamp", "@timestamp", "@t", "pid", "hostname", "v", "stack"}
)
_COLOUR = re.compile(rb"\x1b\[[\d;]*m")
_TIME_AND_LEVEL = re.compile(
    rb'(?:(?:time|ts|timestamp|t|level|lvl|severity)=(?:"(?:[^"\\]|\\.)*+"|\S*+)(?:\s++|$))++'
)


def message_of(text: bytes) -> str:
    """The message of a line, with the other fields of structured lines behind it.

    >>> message_of(b'{"level":"error","message":"database did not answer","error":"timed out"}')
    'database did not answer error=timed out'
    >>> message_of(b"2026-11-23T12:00:00Z ERROR api::http: no answer")
    'api::http: no answer'
    """
    text = text[:MOST_BYTES]
    message = _of_json(text) if text[:1] == b"{" else None
    if message is None:
        text = _COLOUR.sub(b"", text)
        head = PLAIN_LEVEL.match(text) or _TIME_AND_LEVEL.match(text)
        rest = text[head.end() :] if head else text
        message = rest.lstrip(b" \t:]>)|-,").decode("utf-8", "backslashreplace") or text.decode(
            "utf-8", "replace"
        )
    return storable(" ".join(message.split()))[:MOST_CHARACTERS]


def _of_json(text: bytes) -> str | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    fields = dict(_flat(data))
    said = next((str(fields[key]) for key in MESSAGE_KEYS if key in fields), "")
    rest = (f"{key}={value}" for key, value in fields.items() if key not in _LEFT_OUT)
    return " ".join(part for part in (said, *rest) if part)


def _flat(data: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Scalars by their path; what is nested deeper than two levels is left out."""
    for key, value in data.items():
        if isinstance(value, dict):
            if depth < 2:
                yield from _flat(value, f"{prefix}{key}.", depth + 1)
        elif not isinstance(value, list):
            yield f"{prefix}{key}", value
