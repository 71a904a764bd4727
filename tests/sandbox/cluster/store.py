"""What is served: every object as ready JSON bytes, so that listing 5,000 pods is joining them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.sandbox.cluster.kinds import Resource

Key = tuple[str, str]  # namespace ("" for cluster-wide objects), name
EVENTS_KEPT = 4000
DEFAULTS = {"spec.unschedulable": "false", "spec.hostNetwork": "false"}


@dataclass(slots=True)
class Record:
    """One object as it is served. `rest` is its JSON without the opening brace, kind and apiVersion."""

    key: Key
    version: int
    rest: bytes
    labels: dict[str, str]
    fields: dict[str, str]
    digest: bytes

    def whole(self, resource: Resource) -> bytes:
        return b'{"kind":"%s","apiVersion":"%s",%s' % (
            resource.kind.encode(),
            resource.api_version.encode(),
            self.rest,
        )

    def item(self, resource: Resource) -> bytes:
        return self.whole(resource) if resource.custom else b"{" + self.rest

    def load(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(b"{" + self.rest)
        return loaded


@dataclass(frozen=True, slots=True)
class Event:
    version: int
    type: str  # ADDED, MODIFIED, DELETED
    resource: Resource
    record: Record


class Store:
    def __init__(self) -> None:
        # Keeps growing over restarts, as etcd's revision does: in microseconds, as one put takes longer than that.
        self.version = int((time.time() - 1_700_000_000) * 1e6)
        self.first_version = self.version
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._records: dict[Resource, dict[Key, Record]] = {}
        self._sorted: dict[Resource, list[Record]] = {}
        self._changed = asyncio.Event()

    def get(self, resource: Resource, namespace: str, name: str) -> Record | None:
        return self._records.get(resource, {}).get((namespace, name))

    def all(self, resource: Resource) -> list[Record]:
        """Every record in etcd's order: by namespace, then name."""
        if resource not in self._sorted:
            records = self._records.get(resource, {})
            self._sorted[resource] = [records[key] for key in sorted(records)]
        return self._sorted[resource]

    def put(self, resource: Resource, obj: dict[str, Any]) -> Record:
        """Serve this object; its resource version moves only when something else in it did."""
        metadata = obj["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        content = {k: v for k, v in obj.items() if k not in ("kind", "apiVersion")}
        content["metadata"] = {k: v for k, v in metadata.items() if k != "resourceVersion"}
        digest = hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).digest()
        before = self._records.get(resource, {}).get(key)
        if before is not None and before.digest == digest:
            return before
        self.version += 1
        content["metadata"]["resourceVersion"] = str(self.version)
        rest = json.dumps(content, separators=(",", ":")).encode()[1:]
        record = Record(
            key, self.version, rest, metadata.get("labels") or {}, fields_of(resource, obj), digest
        )
        self._keep(resource, record, "ADDED" if before is None else "MODIFIED")
        return record

    def next_version(self) -> int:
        self.version += 1
        return self.version

    def forget_history(self) -> None:
        """Let watches from the past start anew, and the objects they would have seen go."""
        self.events.clear()
        self.first_version = self.version

    def put_ready(self, resource: Resource, record: Record) -> None:
        """Serve a record whose bytes were made elsewhere (see synthetic.py)."""
        self._keep(resource, record, "ADDED")

    def remove(self, resource: Resource, key: Key) -> None:
        record = self._records[resource].pop(key)
        self._sorted.pop(resource, None)
        self.version += 1
        self._announce(Event(self.version, "DELETED", resource, record))

    def keys(self, resource: Resource) -> set[Key]:
        return set(self._records.get(resource, {}))

    def since(self, version: int) -> Iterator[Event]:
        return (event for event in tuple(self.events) if event.version > version)

    def forgotten(self, version: int) -> bool:
        """Whether a watch from this version would miss something."""
        oldest = self.events[0].version - 1 if len(self.events) == EVENTS_KEPT else self.first_version
        return version < oldest

    async def wait(self) -> None:
        await self._changed.wait()

    def _keep(self, resource: Resource, record: Record, event: str) -> None:
        self._records.setdefault(resource, {})[record.key] = record
        self._sorted.pop(resource, None)
        self._announce(Event(record.version, event, resource, record))

    def _announce(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()
        self._changed = asyncio.Event()


def fields_of(resource: Resource, obj: dict[str, Any]) -> dict[str, str]:
    """The values that field selectors of this resource may ask for."""
    metadata = obj["metadata"]
    fields = {"metadata.name": metadata["name"]}
    if resource.namespaced:
        fields["metadata.namespace"] = metadata.get("namespace", "")
    for path in resource.fields:
        value: Any = obj
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        fields[path] = DEFAULTS.get(path, "") if value is None or isinstance(value, dict) else str(value)
    return fields
