"""Rows written to a folder before they are deleted: compressed lines of JSON, read back before they count.

    FOLDER/SCHEMA.TABLE/20261101T020000-000001.jsonl.gz   one JSON object per row
    FOLDER/SCHEMA.TABLE/manifest.jsonl                    a line per file whose rows were then deleted

A row comes back with `INSERT INTO t SELECT * FROM json_populate_record(NULL::t, '...')`. A file without a line in the
manifest is that of a task that was killed: its rows may still be in the table.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.errors import CouldNotMeasureError, StepFailedError

PARTIAL = ".partial"
LONGEST_NAME = 150
_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class ExportedFile:
    """A file that holds rows, as it was read back."""

    name: str
    rows: int
    sha256: str


class ArchiveFolder(BaseHook):
    """The folder of a Connection of type fs (extra `path`)."""

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id

    def root(self) -> Path:
        """The folder.

        :raises CouldNotMeasureError: when the Connection names none that can be written to
        """
        path = self.get_connection(self.conn_id).extra_dejson.get("path")
        if not path or not Path(path).is_dir() or not os.access(path, os.W_OK):
            raise CouldNotMeasureError(
                f"The Connection {self.conn_id!r} has the path {path!r}; expected a folder that can be written to"
            )
        return Path(path)

    def store(self, table: str, name: str, rows: Iterable[str]) -> ExportedFile:
        """Write rows to a new file, have the disk keep it, and read it back.

        :raises StepFailedError: when what is read is not what was written, or it could not be written
        """
        try:
            folder = self._folder(table)
            path, partial = folder / f"{name}.jsonl.gz", folder / f"{name}.jsonl.gz{PARTIAL}"
            written = _write(partial, rows)
            read = _read(partial)
            if read != written:
                raise StepFailedError(
                    f"{partial} holds {read[0]:,} rows when read back, {written[0]:,} were written"
                )
            partial.rename(path)
            _keep_names(folder)
        except (OSError, EOFError, zlib.error) as error:
            raise StepFailedError(f"Rows of {table} could not be exported: {error}; they stay") from error
        return ExportedFile(path.name, *written)

    def discard(self, table: str, file: ExportedFile) -> None:
        """Remove a file whose rows were not deleted."""
        (self._folder(table) / file.name).unlink(missing_ok=True)

    def confirm(self, table: str, file: ExportedFile) -> None:
        """Note that the rows of a file have left the table."""
        path = self._folder(table) / "manifest.jsonl"
        with open(path, "a", opener=_owner_only) as manifest:
            manifest.write(json.dumps(asdict(file)) + "\n")
            manifest.flush()
            os.fsync(manifest.fileno())

    def tidy(self, table: str) -> None:
        """Remove what a killed task left half-written; the rows are still in the table."""
        for partial in self._folder(table).glob(f"*{PARTIAL}"):
            partial.unlink(missing_ok=True)

    def _folder(self, table: str) -> Path:
        folder = self.root() / _file_name(table)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StepFailedError(f"Rows of {table} could not be exported: {error}; they stay") from error
        return folder


def _file_name(table: str) -> str:
    """A name for the table's folder; what is no plain character is quoted, what gets too long is cut."""
    name = quote(table, safe=" ")
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:LONGEST_NAME]}-{hashlib.sha256(table.encode()).hexdigest()[:12]}"


def _write(path: Path, rows: Iterable[str]) -> tuple[int, str]:
    """Number of rows, and the digest of their text."""
    count, digest = 0, hashlib.sha256()
    with open(path, "xb", opener=_owner_only) as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=3) as packed:
            for row in rows:
                line = row.encode() + b"\n"
                digest.update(line)
                packed.write(line)
                count += 1
        file.flush()
        os.fsync(file.fileno())
    return count, digest.hexdigest()


def _read(path: Path) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    with gzip.open(path, "rb") as packed:
        for line in packed:
            digest.update(line)
            count += 1
    return count, digest.hexdigest()


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, _OWNER_ONLY)


def _keep_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
