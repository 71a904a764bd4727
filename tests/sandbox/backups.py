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
KINDS = {
    "postgres-backup-{day}.sql.gz": lambda settings, path: _dump_plain(settings, path),
    "postgres-backup-{day}.dump": lambda settings, path: _dump(
        settings, "--format=custom", "--compress=1", f"--file={path}"
    ),
    "qdrant-backup-{day}.tar.gz": lambda settings, path: _archive(path, _qdrant_files(settings)),
    "config-backup-{day}.tar.gz": lambda settings, path: _archive(path, _configuration_files()),
}


def start(settings: Settings) -> None:
    """Make what is missing of the last seven days, remove what is older."""
    settings.backups_dir.mkdir(parents=True, exist_ok=True)
    today = datetime.now(UTC)
    days = [today - timedelta(days=age) for age in range(KEPT_DAYS)]
    wanted = set()
    for pattern, make in KINDS.items():
        newest = settings.backups_dir / pattern.format(day=f"{today:%Y%m%d}")
        if not newest.exists():
            _whole(newest, lambda path, make=make: make(settings, path))
        for day in days:
            path = settings.backups_dir / pattern.format(day=f"{day:%Y%m%d}")
            wanted.add(path.name)
            if not path.exists():
                _whole(path, lambda partial, newest=newest: shutil.copyfile(newest, partial))
                at = day.replace(hour=HOUR, minute=0, second=0).timestamp()
                os.utime(path, (at, at))
    for path in settings.backups_dir.iterdir():
        if path.name not in wanted:
            path.unlink()


def _whole(path: Path, make: Callable[[Path], object]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    make(partial)
    partial.rename(path)


def _dump_plain(settings: Settings, path: Path) -> None:
    text = path.with_suffix(".sql")
    _dump(settings, f"--file={text}")
    with text.open("rb") as plain, gzip.open(path, "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)
    text.unlink()


def _dump(settings: Settings, *options: str) -> None:
    processes.run(
        settings,
        "pg_dump",
        [
            *(postgres_program("pg_dump"), "--host=127.0.0.1", f"--port={settings.postgres_port}"),
            *("--username=docrag", *options, "docrag"),
        ],
        env={"PGPASSWORD": passwords(settings)["docrag"], "PGCONNECT_TIMEOUT": "5"},
    )


def _qdrant_files(settings: Settings) -> dict[str, bytes]:
    collection = {"name": "documents", "points_count": settings.rows * 4, "vector_size": 384}
    return {
        "collections/documents/config.json": json.dumps(collection).encode(),
        "collections/documents/0/segments/segment-0/payload.bin": os.urandom(200_000),
        "collections/documents/0/segments/segment-0/vectors.bin": os.urandom(400_000),
    }


def _configuration_files() -> dict[str, bytes]:
    return {
        f"manifests/{path.name}": path.read_bytes() for path in sorted((PACKAGE / "manifests").glob("*.yaml"))
    }


def _archive(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mtime = int(datetime.now(UTC).timestamp())
            archive.addfile(entry, io.BytesIO(content))
