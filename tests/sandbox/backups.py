"""Backups as the platform's nightly job leaves them: pg_dump, and archives of Qdrant and of the configuration.

Today's are made from what is there now. Those of the six days before are today's under an earlier date, made
once: what they hold is real, its age is not.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.sandbox import processes
from tests.sandbox.passwords import passwords
from tests.sandbox.programs import postgres_program
from tests.sandbox.settings import PACKAGE, Settings

KEPT_DAYS = 7
HOUR = 21
Make = Callable[[Settings, Path], None]


def start(settings: Settings) -> None:
    """Make what is missing of the last seven days, remove what is older."""
    settings.backups_dir.mkdir(parents=True, exist_ok=True)
    _discard_unless_made_by_this(settings)
    today = datetime.now(UTC)
    wanted = set()
    for pattern, make in KINDS.items():
        names = [pattern.format(day=f"{today - timedelta(days=age):%Y%m%d}") for age in range(KEPT_DAYS)]
        wanted |= set(names)
        newest = settings.backups_dir / names[0]
        if not newest.exists():
            _whole(newest, settings, make)
        for age, name in enumerate(names):
            at = (today - timedelta(days=age)).replace(hour=HOUR, minute=0, second=0)
            _copy_unless_there(newest, settings.backups_dir / name, at.timestamp())
    for path in settings.backups_dir.glob("*-backup-*"):
        if path.name not in wanted:
            path.unlink()


def _discard_unless_made_by_this(settings: Settings) -> None:
    """Backups that an earlier version of this file made, or of another schema, are made anew."""
    made_by = settings.state_dir / "backups-made-by"
    sources = (Path(__file__), *sorted((PACKAGE / "sql").glob("*.sql")))
    version = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    if not made_by.exists() or made_by.read_text() != version:
        for path in settings.backups_dir.glob("*-backup-*"):
            path.unlink()
        made_by.write_text(version)


def _whole(path: Path, settings: Settings, make: Make) -> None:
    partial = path.with_name(f"{path.name}.partial")
    make(settings, partial)
    partial.rename(path)


def _copy_unless_there(newest: Path, path: Path, time: float) -> None:
    if not path.exists():
        partial = path.with_name(f"{path.name}.partial")
        shutil.copyfile(newest, partial)
        os.utime(partial, (time, time))
        partial.rename(path)


def _dump_custom(settings: Settings, path: Path) -> None:
    processes.run(
        settings,
        "pg_dump",
        [
            *(postgres_program("pg_dump"), "--host=127.0.0.1", f"--port={settings.postgres_port}"),
            *("--username=docrag", "--format=custom", "--compress=1", f"--file={path}", "docrag"),
        ],
        env={"PGPASSWORD": passwords(settings)["docrag"], "PGCONNECT_TIMEOUT": "5"},
    )


def _text_of_dump(settings: Settings, path: Path) -> None:
    """The same backup as SQL text, so that the database is read once."""
    dump = path.with_name(path.name.replace(".sql.gz.partial", ".dump"))
    text = path.with_suffix(".sql")
    restore = [postgres_program("pg_restore"), f"--file={text}", str(dump)]
    processes.run(settings, "pg_restore", restore)
    with text.open("rb") as plain, gzip.open(path, "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)
    text.unlink()


def _archive_qdrant(settings: Settings, path: Path) -> None:
    """The storage of a stopped Qdrant, with the files that each part of it is recognised by."""
    params = {"vectors": {"size": 384, "distance": "Cosine"}, "shard_number": 1, "replication_factor": 1}
    files = {
        "collections/documents/config.json": json.dumps({"params": params}).encode(),
        "collections/documents/0/shard_config.json": b'{"type": "Local"}',
    }
    for segment in ("5b1e4e8c-0c5f-4b0e-9d2e-0f6a8f5c1a01", "c4f0b7a2-6d43-4c1c-8a53-2f7f0a9be702"):
        folder = f"collections/documents/0/segments/{segment}"
        files |= {
            f"{folder}/segment.json": b'{"version": 12, "config": {"vector_data": {"": {"size": 384}}}}',
            f"{folder}/vector_storage/chunk_0.mmap": os.urandom(200_000),
            f"{folder}/payload_storage/page_0.dat": os.urandom(100_000),
        }
    archive(path, files)


def _archive_configuration(settings: Settings, path: Path) -> None:
    manifests = sorted((PACKAGE / "manifests").glob("*.yaml"))
    archive(path, {f"manifests/{manifest.name}": manifest.read_bytes() for manifest in manifests})


def archive(target: Path | io.BytesIO, files: dict[str, bytes]) -> None:
    """A tar.gz of files made now."""
    opened = {"fileobj": target} if isinstance(target, io.BytesIO) else {"name": target}
    with tarfile.open(mode="w:gz", compresslevel=1, **opened) as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mtime = int(datetime.now(UTC).timestamp())
            packed.addfile(entry, io.BytesIO(content))


KINDS: dict[str, Make] = {
    "postgres-backup-{day}.dump": _dump_custom,
    "postgres-backup-{day}.sql.gz": _text_of_dump,
    "qdrant-backup-{day}.tar.gz": _archive_qdrant,
    "config-backup-{day}.tar.gz": _archive_configuration,
}
