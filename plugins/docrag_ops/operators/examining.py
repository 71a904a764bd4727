"""Reading the newest file of each series to its end, once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from itertools import chain
from typing import TYPE_CHECKING

from docrag_ops.core.backup_sections import BackupSeries, BackupsSection
from docrag_ops.core.backups import configuration, qdrant
from docrag_ops.core.backups.archives import MAGIC as TAR_MAGIC
from docrag_ops.core.backups.archives import MAGIC_AT as TAR_MAGIC_AT
from docrag_ops.core.backups.checksums import kept_checksum
from docrag_ops.core.backups.custom_dump import HEAD_BYTES, MAGIC, read_head
from docrag_ops.core.backups.dump_scan import scan
from docrag_ops.core.backups.errors import DamagedError, UnreadableError
from docrag_ops.core.backups.examined import Content, Examined
from docrag_ops.core.backups.inflate import inflated
from docrag_ops.core.backups.names import StoredFile, candidates
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.texts import one_line
from docrag_ops.hooks.postgres_programs import Deadline, sql_of_custom_dump

if TYPE_CHECKING:
    from docrag_ops.hooks.backups import BackupStorage

log = logging.getLogger(__name__)

READ_SECONDS = 3600
_GZIP_TIME_AT = slice(4, 8)
_PACKINGS = {".gz": b"\x1f\x8b", ".tgz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\0"}
_ALGORITHMS = {"sha256": 64, "sha512": 128, "sha1": 40, "md5": 32}


def listed(section: BackupsSection, files: Sequence[StoredFile]) -> dict[str, Examined]:
    """The newest file of each series and those before it, from a list of the storage; nothing is read."""
    found = {}
    for name, series in section.series.items():
        ours = candidates(files, series.files, zone=section.zone)
        found[name] = Examined(
            series=name,
            pattern=series.files,
            newest=ours[0] if ours else None,
            earlier=tuple(one.file for one in ours[1:]),
            is_sql=series.format == "plain",
        )
    return found


def examined(
    one: Examined,
    series: BackupSeries,
    storage: BackupStorage,
    files: Sequence[StoredFile],
    section: BackupsSection,
) -> Examined:
    """The same series with what is in its newest file."""
    if one.newest is None or not one.newest.file.size_bytes:
        return replace(one, content=Content(damage="the file is empty" if one.newest else ""))
    database = section.restore.database if section.restore else ""
    try:
        _require_packing(storage, one.file_name)
        content = _content(storage.chunks(one.file_name), series, section.zone, database)
        if content.made_at is None and (packed_at := _packed_at(storage, one.file_name)):
            content = replace(content, made_at=packed_at, made_by="the head of the gzip file")
    except DamagedError as error:
        written = still_written(storage, one.newest.file)
        content = Content(unreadable=written) if written else Content(damage=str(error))
    except (UnreadableError, CouldNotMeasureError) as error:
        content = Content(unreadable=str(error))
    except Exception as error:  # one file that nobody foresaw must not take the others with it
        log.exception("%s could not be read", one.file_name)
        content = Content(unreadable=f"unexpected {type(error).__name__}: {one_line(str(error))}")
    differs = _checksum_differs(storage, one.file_name, {file.name for file in files})
    return replace(one, content=replace(content, checksum_differs=differs))


def still_written(storage: BackupStorage, listed: StoredFile) -> str:
    """That a file is another one by now than the one that was listed; nothing when it is the same."""
    try:
        now = next((file for file in storage.files() if file.name == listed.name), None)
    except CouldNotMeasureError:
        return ""
    return (
        ""
        if now == listed
        else "it was written to while it was read: nobody knows yet whether it will be whole"
    )


def sql_chunks(
    chunks: Iterable[bytes], series: BackupSeries, zone: tzinfo, deadline: Deadline
) -> tuple[Iterator[bytes], Content]:
    """A dump as SQL text, and what its head says.

    :raises DamagedError: when it is not of the format that the environment says.
    """
    first, stream = _begin_of(inflated(chunks))
    require_kind(first, series.format)
    if series.format == "plain":
        return stream, Content()
    head = read_head(first[:HEAD_BYTES], zone=zone)
    content = Content(made_at=head.made_at.astimezone(UTC), made_by="its head", evidence=head.database)
    return sql_of_custom_dump(stream, deadline), content


_KINDS = {
    "custom": "a dump in custom format",
    "tar": "a tar archive",
    "plain": "text",
    "packed": "packed once more when it is unpacked",
    "binary": "neither a dump nor an archive",
}


def require_kind(first: bytes, expected: str) -> None:
    """Refuse what is of another format.

    :raises DamagedError: says of which.
    """
    kind = kind_of(first)
    if kind != expected:
        raise DamagedError(f"it is {_KINDS[kind]}; expected {_KINDS[expected]}")


def kind_of(first: bytes) -> str:
    """What an unpacked file is, by how it begins."""
    if first.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")):
        return "packed"
    if first.startswith(MAGIC):
        return "custom"
    if first[TAR_MAGIC_AT:].startswith(TAR_MAGIC) or not any(first[:512]):
        return "tar"
    return "binary" if b"\0" in first[:HEAD_BYTES] else "plain"


def _content(chunks: Iterable[bytes], series: BackupSeries, zone: tzinfo, database: str) -> Content:
    if series.part == "postgres":
        return _dump(chunks, series, zone, database)
    first, stream = _begin_of(inflated(chunks))
    require_kind(first, "tar")
    if series.part == "qdrant":
        snapshot = qdrant.read_archive(stream, collection=series.collection)
        return Content(
            evidence=f"{snapshot.files:,} files, whole to the end mark",
            made_at=snapshot.newest_at,
            made_by="the newest file in it",
            qdrant=snapshot,
        )
    kept = configuration.read_archive(stream)
    return Content(
        evidence=f"{kept.files:,} files with {len(kept.objects) + kept.others:,} objects, whole to the end mark",
        made_at=kept.newest_at,
        made_by="the newest file in it",
        configuration=kept,
    )


def _dump(chunks: Iterable[bytes], series: BackupSeries, zone: tzinfo, database: str) -> Content:
    """A dump that is read to its end, all of its data unpacked, and its text cut as psql would cut it."""
    text, head = sql_chunks(chunks, series, zone, Deadline(READ_SECONDS))
    _require_database(head.evidence, database)
    found = scan(text)
    _require_database(found.database if found.connects == 1 else "", database)
    begun = {"made_at": found.started_at, "made_by": "its comment 'Started on'"} if found.started_at else {}
    evidence = f"whole, from PostgreSQL {found.server_major or '(unknown)'}"
    return replace(head, scan=found, **{"evidence": evidence, **begun})  # type: ignore[arg-type]


def _require_database(dumped: str, expected: str) -> None:
    if dumped and expected and dumped != expected:
        raise DamagedError(f"it is a dump of the database {dumped!r}; expected {expected!r}")


def _begin_of(stream: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a stream, and the whole stream.

    :raises DamagedError: when there are none.
    """
    first = next(stream, b"")
    while len(first) < HEAD_BYTES and (more := next(stream, b"")):
        first += more
    if not first:
        raise DamagedError("the file holds nothing once it is unpacked")
    return first, chain((first,), stream)


def _digest(storage: BackupStorage, name: str, algorithm: str) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for chunk in storage.chunks(name):
        digest.update(chunk)
    return digest.hexdigest()


def _require_packing(storage: BackupStorage, name: str) -> None:
    """Refuse a file that is called packed and is not: whoever restores it by its name is told that it is broken.

    :raises DamagedError: says so.
    """
    packing = next((magic for ending, magic in _PACKINGS.items() if name.lower().endswith(ending)), b"")
    head = b"".join(storage.chunks(name, begin_bytes=len(packing))) if packing else b""
    if head != packing:
        raise DamagedError(
            f"its name says that it is packed, but it begins with {head!r}; expected {packing!r}"
        )


def _packed_at(storage: BackupStorage, name: str) -> datetime | None:
    """When gzip packed a file, where it noted that."""
    head = b"".join(storage.chunks(name, begin_bytes=8))
    seconds = int.from_bytes(head[_GZIP_TIME_AT], "little")
    return datetime.fromtimestamp(seconds, UTC) if head.startswith(b"\x1f\x8b") and seconds else None


def _checksum_differs(storage: BackupStorage, name: str, there: set[str]) -> str | None:
    """How a file differs from the checksum that is kept beside it, in NAME.sha256 or its folder's SHA256SUMS, or in
    those of another algorithm; None where there is none."""
    folder, _, base = name.rpartition("/")
    beside = f"{folder}/" if folder else ""
    for algorithm, digits in _ALGORITHMS.items():
        endings = (f".{algorithm}", f".{algorithm}sum")
        sums = f"{beside}{algorithm.upper()}SUMS"
        for kept in (*(f"{name}{ending}" for ending in endings), sums):
            if kept not in there:
                continue
            text = b"".join(storage.chunks(kept, begin_bytes=1024 * 1024)).decode("utf-8", "replace")
            wanted = kept_checksum(text, base, digits=digits, names_it=kept == sums)
            if wanted:
                found = _digest(storage, name, algorithm)
                return (
                    ""
                    if wanted == found
                    else f"its {algorithm.upper()} is {found[:16]}…, {kept} has {wanted[:16]}…"
                )
            if kept != sums:
                return f"{kept} holds no {algorithm.upper()}"
    return None
