"""Lists in pages: a consistent snapshot behind every `continue` token, until it expires."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections import OrderedDict
from dataclasses import dataclass

from tests.sandbox.cluster.statuses import bad_request, expired
from tests.sandbox.cluster.store import Key, Record

KEPT_SECONDS = 300  # etcd compacts every five minutes
KEPT_SNAPSHOTS = 32
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new "
    "list without the continue parameter, or use the continue token in this response to retrieve the "
    "remainder of the results. Continuing with the provided token results in an inconsistent list - objects "
    "that were created, modified, or deleted between the time the first chunk was returned and now may show "
    "up in the list."
)

Question = tuple[str, ...]  # what was asked: resource, namespace, selectors


@dataclass(frozen=True)
class Page:
    records: list[Record]
    version: int
    continue_token: str
    remaining: int


class Snapshots:
    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, Question], tuple[float, list[Record]]] = OrderedDict()

    def compact(self) -> None:
        """Let every token given out so far expire."""
        self._kept.clear()

    def first(self, question: Question, selected: list[Record], version: int, limit: int) -> Page:
        if limit and len(selected) > limit:
            self._kept[version, question] = (time.monotonic(), selected)
            while len(self._kept) > KEPT_SNAPSHOTS:
                self._kept.popitem(last=False)
        return _cut(selected, 0, version, limit)

    def following(self, question: Question, token: str, now: list[Record], version: int, limit: int) -> Page:
        """The page after a token; `now` is what a token that allows inconsistency goes on with."""
        token_version, last = _decode(token)
        if token_version == -1:
            return _cut(now, _position(now, last), version, limit)
        made, selected = self._kept.get((token_version, question), (float("-inf"), []))
        if time.monotonic() - made > KEPT_SECONDS:
            raise expired(TOO_OLD, _encode(-1, last))
        return _cut(selected, _position(selected, last), token_version, limit)


def _cut(records: list[Record], start: int, version: int, limit: int) -> Page:
    end = start + limit if limit else len(records)
    remaining = max(len(records) - end, 0)
    token = _encode(version, records[end - 1].key) if remaining else ""
    return Page(records[start:end], version, token, remaining)


def _position(records: list[Record], last: Key) -> int:
    return next((index for index, record in enumerate(records) if record.key > last), len(records))


def _encode(version: int, last: Key) -> str:
    content = {"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(last) + "\0"}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _decode(token: str) -> tuple[int, Key]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, name = content["start"].rstrip("\0").split("/")
        return int(content["rv"]), (namespace, name)
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise bad_request(f"continue key is not valid: {error}") from error
