"""What has to be in a backup of Qdrant: a snapshot of a collection, a full snapshot, or an archive of its storage.

A collection's folder holds `config.json` and a folder per shard with `shard_config.json` and `segments/ID/…`; in a
snapshot a segment may be a tar of its own. Source: https://qdrant.tech/documentation/concepts/snapshots/ and
https://qdrant.tech/documentation/concepts/storage/. It cannot see whether the vectors are right: only a restored
collection shows that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from docrag_ops.core.backups.archives import Member, members
from docrag_ops.core.backups.errors import DamagedError

MOST_CONFIG_BYTES = 4 * 1024 * 1024
_IN_STORAGE = re.compile(r"(?:.*/)?collections/([^/]+)/(.+)")
_NESTED_SNAPSHOT = re.compile(r"(?:[^/]+/)?([^/]+?)-\d+-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.snapshot")
_SEGMENT_TAR = re.compile(r"(\d+/segments/[^/]+)\.tar")
_SEGMENT = re.compile(r"(\d+)/segments/([^/]+)/(?:snapshot/)?(?:files/)?(.+)")
_NEEDED = {
    "segment.json": re.compile(r"segment\.json"),
    "its vectors": re.compile(r"vector_storage.*"),
    "its payload": re.compile(r"payload_storage.*|CURRENT|db_backup/.*"),
}


@dataclass
class CollectionBackup:
    """What an archive has of one collection."""

    config: Any = None
    shards: set[int] = field(default_factory=set)
    shard_configs: set[int] = field(default_factory=set)
    segments: dict[tuple[int, str], set[str]] = field(default_factory=dict)

    def missing(self, *, is_partial: bool) -> list[str]:
        """What is missing, in words."""
        if not isinstance(self.config, Mapping):
            return ["config.json"]
        found = []
        params = self.config.get("params")
        if not isinstance(params, Mapping) or not (params.get("vectors") or params.get("sparse_vectors")):
            found.append("the vectors in config.json")
        wanted = params.get("shard_number", 1) if isinstance(params, Mapping) else 1
        expected = set(range(wanted)) if isinstance(wanted, int) and not is_partial else set()
        found += [f"shard {number}" for number in sorted(expected - self.shards)]
        if not self.shards:
            found.append("every shard")
        for shard in sorted(self.shards):
            if shard not in self.shard_configs:
                found.append(f"shard_config.json of shard {shard}")
            if not any(number == shard for number, _ in self.segments):
                found.append(f"every segment of shard {shard}")
        for (shard, segment), parts in sorted(self.segments.items()):
            found += [f"{part} of segment {shard}/{segment}" for part in _NEEDED if part not in parts]
        return found


@dataclass
class QdrantBackup:
    """What an archive has, by collection; `newest_at` is the newest time of a file in it."""

    collections: dict[str, CollectionBackup] = field(default_factory=dict)
    files: int = 0
    newest_at: datetime | None = None

    def missing(self, expected: Sequence[str], *, is_partial: bool) -> dict[str, list[str]]:
        """What is missing of each collection that the environment names."""
        there = self.collections
        return {
            name: there[name].missing(is_partial=is_partial) if name in there else ["the whole collection"]
            for name in expected
        }


def read_archive(chunks: Iterable[bytes], *, collection: str) -> QdrantBackup:
    """Read a whole archive.

    :param collection: whose files those are that stand in no collection's folder: a snapshot does not say
    :raises DamagedError: when it is not whole.
    """
    backup = QdrantBackup()
    for owner, path, member in _flat(members(chunks), collection):
        backup.files += 1
        if member.changed_at and (backup.newest_at is None or member.changed_at > backup.newest_at):
            backup.newest_at = member.changed_at
        if owner and member.size_bytes:
            _note(backup.collections.setdefault(owner, CollectionBackup()), path, member)
    if not backup.files:
        raise DamagedError("the archive holds no file")
    return backup


def _flat(found: Iterator[Member], owner: str) -> Iterator[tuple[str, str, Member]]:
    """Each file with its collection and its path in that collection's folder, nested archives unpacked."""
    for member in found:
        in_storage, nested = _IN_STORAGE.fullmatch(member.name), _NESTED_SNAPSHOT.fullmatch(member.name)
        name, path = in_storage.groups() if in_storage else (owner, member.name)
        segment = _SEGMENT_TAR.fullmatch(path)
        if nested:
            yield from _flat(members(member.chunks()), nested[1])
        elif segment:
            for inner in members(member.chunks()):
                yield name, f"{segment[1]}/{inner.name}", inner
        else:
            yield name, path, member


def _note(collection: CollectionBackup, path: str, member: Member) -> None:
    shard = path.partition("/")[0]
    if path == "config.json":
        collection.config = _json(member)
    elif shard.isdecimal():
        collection.shards.add(int(shard))
        if path == f"{shard}/shard_config.json":
            _json(member)
            collection.shard_configs.add(int(shard))
        elif found := _SEGMENT.fullmatch(path):
            parts = collection.segments.setdefault((int(found[1]), found[2]), set())
            parts |= {name for name, expression in _NEEDED.items() if expression.fullmatch(found[3])}


def _json(member: Member) -> Any:
    try:
        return json.loads(member.content(most_bytes=MOST_CONFIG_BYTES))
    except ValueError as error:
        raise DamagedError(f"{member.name!r} is no JSON: {error}") from error


def vectors_differ(archived: Any, live: Any) -> str:
    """Whether a collection's archived config fits the live one; nothing when it does."""
    ours, theirs = (_vectors(one) for one in (archived, live))
    return "" if ours == theirs else f"the backup has the vectors {ours}, the live collection {theirs}"


def _vectors(config: Any) -> Any:
    """Size and distance of each kind of vectors: what decides whether points fit."""
    vectors = (config.get("params") or {}).get("vectors") if isinstance(config, Mapping) else None
    if not isinstance(vectors, Mapping):
        return None
    if "size" in vectors:
        return {"": (vectors.get("size"), vectors.get("distance"))}
    return {
        name: (one.get("size"), one.get("distance"))
        for name, one in vectors.items()
        if isinstance(one, Mapping)
    }
