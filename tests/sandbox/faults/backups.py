"""Faults of the backups: today's file of a series is replaced by a bad one, and kept aside until the fault is off."""

import gzip
import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.sandbox import backups, parts, postgres_servers
from tests.sandbox.faults.fault import Fault, State
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import MAINTAINED
from tests.sandbox.programs import postgres_program
from tests.sandbox.settings import Settings

ERRORS = (subprocess.SubprocessError, EOFError, tarfile.TarError)
DUMP, SQL = "postgres-backup-{day}.dump", "postgres-backup-{day}.sql.gz"
QDRANT = "qdrant-backup-{day}.tar.gz"
TIME_AT, NUMBER_BYTES = 5 + 6 + 5, 5
"""Where a custom dump says when it was made: behind PGDMP, versions and sizes, and the compression."""
Spoil = Callable[[Settings, bytes], bytes | None]


def newest(settings: Settings, series: str) -> Path:
    """The newest file of a series, such as DUMP."""
    return max(settings.backups_dir.glob(series.format(day="*")))


def spoiled(name: str, what: str, series: str, spoil: Spoil, *, files: int = 1) -> Fault:
    """A fault that is the newest files of a series spoiled; None of `spoil` means that they are not there."""

    def on(settings: Settings, state: State) -> None:
        kept = _kept(settings, name)
        kept.mkdir(parents=True, exist_ok=True)
        for path in sorted(settings.backups_dir.glob(series.format(day="*")))[-files:]:
            whole, times = path.read_bytes(), path.stat()
            path.rename(kept / path.name)
            content = spoil(settings, whole)
            if content is not None:
                path.write_bytes(content)
                os.utime(path, (times.st_atime, times.st_mtime))

    def off(settings: Settings, state: State) -> None:
        for path in _kept(settings, name).glob("*"):
            path.rename(settings.backups_dir / path.name)

    return Fault(name, what, on, off)


def _kept(settings: Settings, name: str) -> Path:
    return settings.state_dir / "kept-backups" / name


def _cut(settings: Settings, whole: bytes) -> bytes:
    return whole[: len(whole) * 7 // 10]


def _flipped(settings: Settings, whole: bytes) -> bytes:
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 0x10
    return bytes(changed)


def _of_yesterday(settings: Settings, whole: bytes) -> bytes:
    """The same dump, whose head says that it was made 25 hours ago."""
    changed, at = bytearray(whole), datetime.now(UTC) - timedelta(hours=25)
    for number, value in enumerate((at.second, at.minute, at.hour, at.day, at.month - 1, at.year - 1900)):
        place = TIME_AT + NUMBER_BYTES * number
        changed[place : place + NUMBER_BYTES] = bytes([0]) + value.to_bytes(4, "little")
    return bytes(changed)


def _half_of_a_table(settings: Settings, whole: bytes) -> bytes:
    """Every other row of one table is not there; the dump is whole otherwise."""
    before, copy, rest = gzip.decompress(whole).partition(b"COPY public.user_sessions ")
    head, _, rest = rest.partition(b"\n")
    rows, end, after = rest.partition(b"\n\\.\n")
    kept = b"\n".join(rows.split(b"\n")[::2])
    return gzip.compress(b"".join((before, copy, head, b"\n", kept, end, after)), compresslevel=1)


def _of_another_database(settings: Settings, whole: bytes) -> bytes:
    return _output_of(settings, "pg_dump", "--format=custom", "postgres")


def _of_the_whole_server(settings: Settings, whole: bytes) -> bytes:
    return gzip.compress(_output_of(settings, "pg_dumpall"), compresslevel=1)


def _output_of(settings: Settings, program: str, *options: str) -> bytes:
    where = {
        **os.environ,
        "PGHOST": "127.0.0.1",
        "PGPORT": str(MAINTAINED.port(settings)),
        "PGUSER": "postgres",
        "PGPASSWORD": passwords(settings)[MAINTAINED.superuser_secret],
    }
    command = [postgres_program(program), *options]
    return subprocess.run(command, env=where, capture_output=True, check=True, timeout=120).stdout


def _without_payload(settings: Settings, whole: bytes) -> bytes:
    """An archive of Qdrant in which one segment has no payload."""
    with tarfile.open(fileobj=io.BytesIO(whole), mode="r:gz") as archive:
        files = {one.name: archive.extractfile(one).read() for one in archive.getmembers()}  # type: ignore[union-attr]
    files.pop(next(name for name in files if "payload_storage" in name))
    target = io.BytesIO()
    backups.archive(target, files)
    return target.getvalue()


def _stop_scratch(settings: Settings, state: State) -> None:
    parts.part("scratch").stop(settings)


def _start_scratch(settings: Settings, state: State) -> None:
    postgres_servers.start(settings, postgres_servers.SCRATCH)


FAULTS = (
    spoiled(
        "backup_missing",
        "the dumps of the last two days are not there",
        DUMP,
        lambda settings, whole: None,
        files=2,
    ),
    spoiled("backup_truncated", "the newest dump has 70 % of its bytes", DUMP, _cut),
    spoiled("backup_flipped", "a byte of the newest packed SQL dump was changed", SQL, _flipped),
    spoiled("backup_of_yesterday", "a dump of 25 hours ago has the newest one's name", DUMP, _of_yesterday),
    spoiled("backup_half_table", "the newest SQL dump lacks half of user_sessions", SQL, _half_of_a_table),
    spoiled("backup_other_database", "the newest dump is of another database", DUMP, _of_another_database),
    spoiled("backup_whole_server", "the newest SQL dump is pg_dumpall's", SQL, _of_the_whole_server),
    spoiled(
        "backup_qdrant_part", "a segment in Qdrant's newest backup has no payload", QDRANT, _without_payload
    ),
    Fault(
        "scratch_down", "the scratch server does not run", _stop_scratch, _start_scratch, dies_with_down=True
    ),
)
