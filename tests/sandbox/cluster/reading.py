"""get, list and watch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from tests.sandbox.cluster import tables
from tests.sandbox.cluster.cluster import Cluster
from tests.sandbox.cluster.kinds import Resource
from tests.sandbox.cluster.paging import Page, Snapshots
from tests.sandbox.cluster.parameters import flag, integer
from tests.sandbox.cluster.selectors import field_test, label_test
from tests.sandbox.cluster.statuses import ApiError, bad_request, invalid, not_found
from tests.sandbox.cluster.store import Record

PIECE_BYTES = 256 * 1024
LONGEST_WATCH_SECONDS = 1800


class Reader:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.store = cluster, cluster.store
        self.snapshots = Snapshots()

    def get(self, request: web.Request, resource: Resource, namespace: str, name: str) -> web.Response:
        record = self.store.get(resource, namespace, name)
        if record is None:
            raise not_found(resource, name)
        if tables.wanted(request):
            return _json_bytes(tables.render(resource, [record], {"resourceVersion": str(record.version)}))
        return _json_bytes(record.whole(resource))

    async def list(self, request: web.Request, resource: Resource, namespace: str) -> web.StreamResponse:
        if flag(request, "watch"):
            return await self.watch(request, resource, namespace)
        page = self._page(request, resource, namespace)
        metadata: dict[str, Any] = {"resourceVersion": str(page.version)}
        if page.continue_token:
            metadata["continue"] = page.continue_token
            if not _selectors(request):
                metadata["remainingItemCount"] = page.remaining
        if tables.wanted(request):
            return _json_bytes(tables.render(resource, page.records, metadata))
        return await _send(request, _pieces(resource, metadata, page.records))

    async def watch(self, request: web.Request, resource: Resource, namespace: str) -> web.StreamResponse:
        """Changes since a resource version, as JSON lines, until timeoutSeconds are over."""
        selected = self._test(request, resource, namespace)
        asked = request.query.get("resourceVersion", "")
        version = int(asked) if asked.isdigit() and asked != "0" else self.store.version
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        if asked in ("", "0"):
            for record in filter(selected, self.store.all(resource)):
                await response.write(_line(request, resource, "ADDED", record))
        if self.store.forgotten(version):
            message = f"too old resource version: {version} ({self.store.first_version})"
            gone = ApiError(410, "Expired", message).body
            await response.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
            return response
        timeout = _number(request, "timeoutSeconds") or LONGEST_WATCH_SECONDS
        try:
            async with asyncio.timeout(timeout):
                while True:
                    changed = asyncio.ensure_future(self.store.wait())
                    for event in self.store.since(version):
                        if event.resource == resource and selected(event.record):
                            await response.write(_line(request, resource, event.type, event.record))
                    version = self.store.version
                    await changed
        except TimeoutError:
            return response

    def _page(self, request: web.Request, resource: Resource, namespace: str) -> Page:
        limit = _number(request, "limit")
        token, asked = request.query.get("continue", ""), request.query.get("resourceVersion", "")
        if token and asked not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        if asked == "0":
            limit = 0  # the watch cache of the real API server ignores the limit
        if asked.isdigit() and int(asked) > self.store.version:
            raise ApiError(
                504,
                "Timeout",
                f"Too large resource version: {asked}, current: {self.store.version}",
                {
                    "causes": [
                        {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
                    ],
                    "retryAfterSeconds": 1,
                },
            )
        question = (resource.qualified, namespace, *_selectors(request, both=True))
        everything = self.store.all(resource)
        if not namespace and not _selectors(request):
            selected = everything
        else:
            selected = list(filter(self._test(request, resource, namespace), everything))
        if token:
            return self.snapshots.following(question, token, selected, self.store.version, limit)
        return self.snapshots.first(question, selected, self.store.version, limit)

    def _test(self, request: web.Request, resource: Resource, namespace: str) -> Any:
        labels = label_test(request.query.get("labelSelector", ""))
        fields = field_test(resource, request.query.get("fieldSelector", ""))
        return lambda record: (
            (not namespace or record.key[0] == namespace)
            and (labels is None or labels(record.labels))
            and (fields is None or fields(record.fields))
        )


def as_json(body: dict[str, Any], status: int = 200) -> web.Response:
    return _json_bytes(json.dumps(body).encode(), status)


def _json_bytes(body: bytes, status: int = 200) -> web.Response:
    return web.Response(status=status, body=body + b"\n", content_type="application/json")


def _selectors(request: web.Request, *, both: bool = False) -> tuple[str, ...]:
    texts = (request.query.get("labelSelector", ""), request.query.get("fieldSelector", ""))
    return texts if both or any(texts) else ()


def _number(request: web.Request, parameter: str) -> int:
    number = integer(request, parameter) or 0
    if number < 0:
        raise invalid(
            "ListOptions", "", parameter, f"Invalid value: {number}: must be greater than or equal to 0"
        )
    return number


def _line(request: web.Request, resource: Resource, change: str, record: Record) -> bytes:
    if tables.wanted(request):
        body = tables.render(resource, [record], {"resourceVersion": str(record.version)})
    else:
        body = record.whole(resource)
    return b'{"type":"%s","object":%s}\n' % (change.encode(), body)


def _pieces(resource: Resource, metadata: dict[str, Any], records: list[Record]) -> Iterator[bytes]:
    """A List as a few large pieces: the objects' own bytes, joined."""
    head = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata}
    waiting: list[bytes] = [json.dumps(head)[:-1].encode() + b',"items":[']
    size = 0
    for index, record in enumerate(records):
        item = record.item(resource)
        waiting.append(b"," + item if index else item)
        size += len(item)
        if size > PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join([*waiting, b"]}\n"])


async def _send(request: web.Request, pieces: Iterator[bytes]) -> web.StreamResponse:
    """In chunks, made one at a time: a large list is never in memory a second time."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
    return response
