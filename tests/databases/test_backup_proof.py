"""The faults that a backup can have, each really made: all are found. Good backups raise no alarm."""

import gzip
import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import sql

from docrag_ops.hooks.backups import BackupStorage
from tests.counts import COUNTS
from tests.databases.storage import Storage, packed, pg_dump
from tests.sandbox.postgres_servers import MAINTAINED, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
TENTHS = range(10)
BAD = {"critical"}
ZLIB = b"\x78\x9c"  # where the first packed rows begin
MORE_ROWS = """
INSERT INTO vectors SELECT id + 1000000, document_id, chunk_no + 9, chunk, model, embedding, created_at FROM vectors
"""
NEW_ROW = """
INSERT INTO audit_logs (created_at, actor, action, object_type, details)
VALUES (now(), 'test', 'query', 'document', '{}')
"""
Dumps = dict[str, bytes]


@pytest.fixture(scope="module")
def dumps(scratch: Settings) -> Dumps:
    """The live database as the sandbox's job dumps it, and its uncompressed forms."""
    return {
        "custom": pg_dump(scratch, "--format=custom"),
        "plain": pg_dump(scratch),
        "uncompressed": pg_dump(scratch, "--format=custom", "--compress=0"),
    }


@pytest.fixture(scope="module")
def copy_of_docrag(scratch: Settings) -> Iterator[Callable[[str, str], str]]:
    """A copy of the live database, on the same server and under another name, with something changed."""
    made = []

    def copy(name: str, change: str) -> str:
        with superuser(scratch, MAINTAINED) as session:
            session.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE docrag STRATEGY file_copy").format(sql.Identifier(name))
            )
        made.append(name)
        with superuser(scratch, MAINTAINED, name) as session:
            session.execute(change)
            session.execute("ANALYZE")
        return name

    yield copy
    with superuser(scratch, MAINTAINED) as session:
        for name in made:
            session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def all_found(storage: Storage, kind: str, **options: object) -> dict[str, str]:
    """The bad checks of both tasks."""
    return {
        **storage.verdicts("backups", kind, **options),
        **storage.verdicts("restores", kind, **options),
    }


def count_fault() -> None:
    COUNTS["faults of backups: made, and found as critical"] += 1


@pytest.mark.parametrize("kind", ["custom", "plain"])
@pytest.mark.parametrize("size", ["small", "large"])
def test_good_backup_raises_no_alarm(storage, connect_to, copy_of_docrag, scratch, kind, size):
    database = "docrag"
    if size == "large":
        database = copy_of_docrag(f"large_{kind}", MORE_ROWS)
    connect_to(database)
    dump = pg_dump(scratch, f"--format={kind}", database=database)
    storage.put(kind, packed(dump) if kind == "plain" else dump)
    assert all_found(storage, kind, database=database) == {}
    COUNTS["good backups: restored without an alarm"] += 1


@pytest.mark.parametrize("stage", ["before", "after"])
@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_backup_cut_at_each_tenth_is_found(storage, dumps, kind, stage):
    """Cut before it is packed: what the pipe from a pg_dump that died leaves, its gzip whole."""
    whole = {
        ("custom", "before"): dumps["uncompressed"],
        ("custom", "after"): dumps["custom"],
        ("plain", "before"): dumps["plain"],
        ("plain", "after"): packed(dumps["plain"]),
    }[kind, stage]
    missed = []
    for tenth in TENTHS:
        cut = whole[: len(whole) * tenth // 10]
        storage.put(kind, packed(cut) if stage == "before" else cut)
        if storage.verdicts("backups", kind).get("backup_whole") != "critical":
            missed.append(tenth)
        count_fault()
    assert missed == []


@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_backup_without_its_last_bytes_is_found(storage, dumps, kind):
    whole = packed(dumps["plain"]) if kind == "plain" else dumps["custom"]
    missed = []
    for lost in (1, 4, 5, 64):
        storage.put(kind, whole[:-lost])
        if storage.verdicts("backups", kind).get("backup_whole") != "critical":
            missed.append(lost)
    assert missed == []


@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_flipped_byte_is_found(storage, dumps, kind):
    """In the rows of the dump: what its table of contents says twice, or for nobody, may be changed unseen."""
    whole = packed(dumps["plain"]) if kind == "plain" else dumps["custom"]
    begin = 10 if kind == "plain" else whole.index(ZLIB)
    missed = []
    for place in range(1, 20):
        changed = bytearray(whole)
        changed[begin + (len(whole) - begin) * place // 20] ^= 0x10
        storage.put(kind, bytes(changed))
        found = storage.verdicts("backups", kind)
        if not BAD & set(found.values()):
            found = storage.verdicts("restores", kind)
        if not BAD & set(found.values()):
            missed.append(place)
        count_fault()
    assert missed == []


@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_dump_of_another_database_is_found(storage, scratch, kind):
    dump = pg_dump(scratch, f"--format={kind}", database="postgres")
    storage.put(kind, packed(dump) if kind == "plain" else dump)
    found = all_found(storage, kind)
    assert found.get("backup_whole" if kind == "custom" else "restore_objects") == "critical"
    count_fault()


def test_text_that_names_another_database_is_found(storage, scratch):
    storage.put("plain", packed(pg_dump(scratch, "--create", database="postgres")))
    assert storage.verdicts("backups", "plain").get("backup_whole") == "critical"


@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_empty_dump_with_a_good_head_is_found(storage, scratch, kind):
    dump = pg_dump(scratch, f"--format={kind}", "--exclude-table=*")
    storage.put(kind, packed(dump) if kind == "plain" else dump)
    assert storage.verdicts("backups", kind) == {}
    assert storage.verdicts("restores", kind)["restore_objects"] == "critical"
    count_fault()


@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_missing_table_is_found_and_named(storage, scratch, kind):
    dump = pg_dump(scratch, f"--format={kind}", "--exclude-table=user_sessions")
    storage.put(kind, packed(dump) if kind == "plain" else dump)
    found = {one.subject: one.evidence for one in storage.found("restores", kind)}
    assert "public.user_sessions" in found["postgres: tables"]
    count_fault()


@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_half_empty_table_is_found_and_named(storage, scratch, copy_of_docrag, kind):
    half = copy_of_docrag(f"half_{kind}", "DELETE FROM vectors WHERE id % 2 = 0")
    dump = pg_dump(scratch, f"--format={kind}", database=half)
    storage.put(kind, packed(dump) if kind == "plain" else dump)
    (found,) = storage.found("restores", kind, database=half)
    assert (found.check, str(found.verdict), found.subject) == (
        "restore_rows",
        "critical",
        "postgres: public.vectors",
    )
    count_fault()


def test_empty_small_table_is_found(storage, scratch):
    with superuser(scratch, MAINTAINED, "docrag") as session:
        session.execute(
            "CREATE TABLE settings AS SELECT n FROM generate_series(1, 20) AS n; ANALYZE settings"
        )
        try:
            dump = pg_dump(scratch, "--format=custom", "--exclude-table-data=settings")
            storage.put("custom", dump)
            found = storage.found("restores", "custom")
        finally:
            session.execute("DROP TABLE settings")
    assert [(one.check, one.subject) for one in found] == [("restore_rows", "postgres: public.settings")]


def test_yesterdays_custom_dump_under_todays_name_is_found(storage, dumps):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    dump = bytearray(dumps["custom"])
    at = 5 + 6 + 5  # behind PGDMP, versions and sizes, and a number for the compression; five bytes a number
    for offset, value in enumerate(
        (
            yesterday.second,
            yesterday.minute,
            yesterday.hour,
            yesterday.day,
            yesterday.month - 1,
            yesterday.year - 1900,
        )
    ):
        dump[at + 5 * offset : at + 5 * offset + 5] = bytes([0]) + value.to_bytes(4, "little")
    storage.put("custom", bytes(dump))
    assert storage.verdicts("backups", "custom").get("backup_name") == "critical"
    count_fault()


def test_yesterdays_sql_under_todays_name_is_found_by_gzip(storage, dumps):
    storage.put("plain", packed(dumps["plain"], at=datetime.now(UTC) - timedelta(days=1)))
    assert storage.verdicts("backups", "plain").get("backup_name") == "critical"
    count_fault()


def test_yesterdays_sql_under_todays_name_is_found_by_its_rows(storage, scratch, copy_of_docrag):
    old = copy_of_docrag("yesterday", "DELETE FROM audit_logs WHERE created_at > now() - interval '26 hours'")
    storage.put("plain", packed(pg_dump(scratch, database=old)))
    with superuser(scratch, MAINTAINED, "docrag") as session:
        session.execute(NEW_ROW)
        try:
            found = storage.verdicts("restores", "plain", database=old)
        finally:
            session.execute("DELETE FROM audit_logs WHERE actor = 'test'")
    assert {"restore_name", "restore_lost"} <= set(found)
    count_fault()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("plain", lambda dumps: dumps["custom"]),
        ("plain", lambda dumps: packed(dumps["custom"])),
        ("custom", lambda dumps: dumps["plain"]),
        ("custom", lambda dumps: packed(dumps["plain"])),
        ("plain", lambda dumps: b"<html><body>403 Forbidden</body></html>"),
        ("plain", lambda dumps: packed(b"")),
        ("custom", lambda dumps: bytes(100_000)),
    ],
)
def test_wrong_format_is_found(storage, dumps, kind, content):
    storage.put(kind, content(dumps))
    assert storage.verdicts("backups", kind).get("backup_whole") == "critical"
    count_fault()


def test_missing_file_is_found(storage):
    found = storage.verdicts("backups", "custom")
    assert found["backup_present"] == "critical"
    count_fault()


def test_smaller_backup_is_found(storage, dumps):
    for days in range(1, 8):
        storage.put("custom", dumps["custom"] * 3, age=timedelta(days=days))
    storage.put("custom", dumps["custom"])
    assert storage.verdicts("backups", "custom") == {"backup_size": "critical"}


def test_old_backup_is_found(storage, dumps):
    at = datetime.now(UTC) - timedelta(days=3)
    storage.put("plain", packed(dumps["plain"], at=at), age=timedelta(days=3))
    assert storage.verdicts("backups", "plain") == {"backup_age": "critical"}


def test_changed_backup_is_found_by_its_checksum(storage, dumps):
    path = storage.put("plain", packed(dumps["plain"]))
    path.with_name(f"{path.name}.sha256").write_text(f"{'0' * 64}  {path.name}\n")
    assert storage.verdicts("backups", "plain") == {"backup_checksum": "critical"}


@pytest.mark.parametrize(
    ("ending", "line"),
    [
        (".sha256", "SHA256 ({name}) = {sha256}"),
        (".md5", "{md5}  {name}"),
        (".sha512sum", "{sha512} *{name}"),
    ],
)
def test_checksum_of_any_kind_is_held_against_the_backup(storage, dumps, ending, line):
    content = packed(dumps["plain"])
    path = storage.put("plain", content)
    sums = {name: hashlib.new(name, content).hexdigest() for name in ("md5", "sha256", "sha512")}
    kept = path.with_name(path.name + ending)
    kept.write_text(line.format(name=path.name, **sums))
    assert storage.verdicts("backups", "plain") == {}
    path.write_bytes(packed(dumps["plain"] + b"\n"))
    assert storage.verdicts("backups", "plain") == {"backup_checksum": "critical"}
    kept.write_text("")
    assert storage.verdicts("backups", "plain") == {"backup_checksum": "critical"}


def test_old_text_without_a_time_inside_is_found(storage, dumps):
    storage.put("plain", packed(dumps["plain"]), age=timedelta(days=3))
    assert storage.verdicts("backups", "plain") == {"backup_age": "critical"}


def test_old_text_that_was_copied_under_todays_name_is_found(storage, dumps):
    path = storage.put("plain", packed(dumps["plain"]))
    at = path.stat().st_mtime - 2 * 86_400
    os.utime(path, (at, at))
    assert storage.verdicts("backups", "plain") == {"backup_age": "critical"}


def test_text_under_a_name_of_tomorrow_is_found(storage, dumps):
    storage.put("plain", packed(dumps["plain"]), age=timedelta(days=-2))
    assert storage.verdicts("backups", "plain") == {"backup_age": "unknown"}


@pytest.mark.parametrize(
    "content", [lambda text: text, lambda text: packed(packed(text))], ids=["not packed", "packed twice"]
)
def test_file_that_is_not_what_its_ending_says_is_found(storage, dumps, content):
    storage.put("plain", content(dumps["plain"]))
    assert storage.verdicts("backups", "plain").get("backup_whole") == "critical"


def test_backup_that_is_still_being_written_is_not_called_bad(storage, dumps, monkeypatch):
    path = storage.put("plain", packed(dumps["plain"])[:-100])
    real = BackupStorage.chunks

    def read_while_it_grows(self: BackupStorage, name: str, **options: int) -> Iterator[bytes]:
        with path.open("ab") as file:
            file.write(b"more")
        return real(self, name, **options)

    monkeypatch.setattr(BackupStorage, "chunks", read_while_it_grows)
    found = all_found(storage, "plain")
    assert (found["backup_whole"], found["restore_done"]) == ("unknown", "unknown")


def test_dump_without_extensions_is_found(storage, scratch):
    """As pg_dump makes it of one schema: on a new server there would be no type and no index of theirs."""
    storage.put("custom", pg_dump(scratch, "--format=custom", "--schema=public"))
    found = {one.subject: str(one.verdict) for one in storage.found("restores", "custom")}
    assert found["postgres: extensions"] == "critical"


def test_half_empty_table_is_found_after_the_statistics_were_lost(
    storage, connect_to, scratch, copy_of_docrag
):
    """As after a failover: they say that the table has the three rows that came since."""
    half = copy_of_docrag("half_lost", "DELETE FROM vectors WHERE id % 2 = 0")
    storage.put("custom", pg_dump(scratch, "--format=custom", database=half))
    live = copy_of_docrag("lost", "SELECT 1")
    with superuser(scratch, MAINTAINED, live) as session:
        session.execute("SELECT pg_stat_reset()")
    with superuser(scratch, MAINTAINED, live) as session:
        session.execute(MORE_ROWS + "ORDER BY id LIMIT 3")
        session.execute("SELECT pg_stat_force_next_flush()")
    connect_to(live)
    found = {(one.check, one.subject) for one in storage.found("restores", "custom", database=half)}
    assert ("restore_rows", "postgres: public.vectors") in found


def test_packed_text_with_rubbish_behind_it_is_found(storage, dumps):
    storage.put("plain", packed(dumps["plain"]) + b"rubbish")
    assert storage.verdicts("backups", "plain").get("backup_whole") == "critical"


def test_concatenated_gzip_is_one_backup(storage, dumps):
    half = len(dumps["plain"]) // 2
    storage.put("plain", packed(dumps["plain"][:half]) + gzip.compress(dumps["plain"][half:]))
    assert storage.verdicts("backups", "plain").get("backup_whole") is None
