"""Backups as the platform's nightly job leaves them: pg_dump, and archives of Qdrant and of the configuration.

Today's are made from what is there now. Those of the six days before are today's under an earlier date, made
once: what they hold is real, its age is not.
"""

import gzip
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
    collection = {"name": "documents", "points_count": settings.rows * 4, "vector_size": 384}
    segment = "collections/documents/0/segments/segment-0"
    files = {
        "collections/documents/config.json": json.dumps(collection).encode(),
        f"{segment}/payload.bin": os.urandom(200_000),
        f"{segment}/vectors.bin": os.urandom(400_000),
    }
    _archive(path, files)


def _archive_configuration(settings: Settings, path: Path) -> None:
    manifests = sorted((PACKAGE / "manifests").glob("*.yaml"))
    _archive(path, {f"manifests/{manifest.name}": manifest.read_bytes() for manifest in manifests})


def _archive(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mtime = int(datetime.now(UTC).timestamp())
            archive.addfile(entry, io.BytesIO(content))


KINDS: dict[str, Make] = {
    "postgres-backup-{day}.dump": _dump_custom,
    "postgres-backup-{day}.sql.gz": _text_of_dump,
    "qdrant-backup-{day}.tar.gz": _archive_qdrant,
    "config-backup-{day}.tar.gz": _archive_configuration,
}
