"""The storage that backups are kept in: any that Airflow's ObjectStoragePath can open, read as streams only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.backups.names import StoredFile
from docrag_ops.core.errors import UnreachableError

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

CHUNK_BYTES = 128 * 1024
REMOTE_BLOCK_BYTES = 8 * 1024 * 1024
MOST_FILES = 200_000
LOCAL = ("file", "local")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


class BackupStorage(BaseHook):
    """Lists and reads backups by the Connection `docrag_backups`.

    The extra `url` says where they are (`s3://bucket/folder`), the rest of the Connection is what the provider of
    that scheme needs; of a Connection of type `fs` the extra `path` is the folder. Nothing is ever written.
    """

    def __init__(self, conn_id: str = "docrag_backups") -> None:
        super().__init__()
        self.conn_id = conn_id

    @cached_property
    def root(self) -> ObjectStoragePath:
        """The folder that all names are relative to."""
        from airflow.sdk import ObjectStoragePath

        extra = self.get_connection(self.conn_id).extra_dejson
        url, path = extra.get("url"), extra.get("path")
        if not url and not path:
            raise UnreachableError(
                f"The Connection {self.conn_id!r} says no place; expected the extra 'url', e.g. "
                '{"url": "s3://bucket/backups"}, or \'path\', e.g. {"path": "/backups"}'
            )
        with self._explained(str(url or path)):
            return ObjectStoragePath(url or f"file://{path}", conn_id=self.conn_id)

    def files(self) -> list[StoredFile]:
        """All files below the root, by name.

        :raises UnreachableError: when the storage does not answer, or has no such folder or bucket.
        """
        root = self.root
        with self._explained(str(root)):
            file_system, path = root.fs, root.path.rstrip("/")
            file_system.invalidate_cache()
            must_exist = path if root.protocol in LOCAL else path.partition("/")[0]
            if not file_system.exists(must_exist):
                raise UnreachableError(f"The storage of backups has no {must_exist!r} ({self.conn_id})")
            if root.protocol in LOCAL:
                file_system.ls(
                    path, detail=False
                )  # find() takes a folder that may not be read for an empty one
            found = file_system.find(path, detail=True)
        if len(found) > MOST_FILES:
            raise UnreachableError(
                f"The storage has {len(found):,} files; more than {MOST_FILES:,} are not read"
            )
        return [
            StoredFile(
                name=name[len(path) :].lstrip("/"), size_bytes=int(info["size"]), modified_at=_modified(info)
            )
            for name, info in sorted(found.items())
        ]

    def chunks(self, name: str, *, begin_bytes: int | None = None) -> Iterator[bytes]:
        """A file in pieces, whatever its size; only its beginning, when that is all that is wanted.

        :raises UnreachableError: when it cannot be read to its end.
        """
        root = self.root
        with self._explained(f"{root}/{name}"):
            left = begin_bytes if begin_bytes is not None else float("inf")
            options = {} if root.protocol in LOCAL else {"block_size": REMOTE_BLOCK_BYTES}
            file = root.fs.open(f"{root.path.rstrip('/')}/{name}", "rb", **options)
        with file:
            while left > 0:
                with self._explained(f"{root}/{name}"):
                    chunk = file.read(int(min(CHUNK_BYTES, left)))
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Every storage has errors of its own; all mean that the files cannot be judged."""
        from airflow.sdk.exceptions import AirflowNotFoundException

        try:
            yield
        except (UnreachableError, AirflowNotFoundException):
            raise
        except Exception as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise UnreachableError(f"The storage of backups ({self.conn_id}), {what}: {said}") from error


def _modified(info: Mapping[str, Any]) -> datetime | None:
    """When a file was written, as the kind of storage says it."""
    value = next((info[name] for name in _TIMES if info.get(name) is not None), None)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None
