"""Killed, ended, restarted: the next run finishes the work. And beside readers and writers at work."""

import gzip
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from docrag_ops.core.changes import StepOutcome
from docrag_ops.core.errors import StepFailedError
from docrag_ops.core.maintenance.plan import Action
from docrag_ops.hooks import archive_folder
from tests.databases.maintenance import World, export_to, step_of, wait_until

pytestmark = pytest.mark.sandbox
KEPT, OLD = 720, 2280
END_OURS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = 'docrag-ops database_maintenance'"""
OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'docrag-ops database_maintenance'"


@pytest.fixture
def slow(world: World) -> World:
    """So many batches and pauses that there is time to kill."""
    world.policy["pace"] = {"rows": 300, "pause_seconds": 0.5, "patience_seconds": 1}
    return world


@contextmanager
def task(world: World, run_id: str) -> Iterator[subprocess.Popen[str]]:
    """The run's tasks in a process of their own; it is gone at the end."""
    process = world.start_task(run_id)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def is_finished(world: World) -> bool:
    return (world.rows(), world.invalid(), world.value(OURS)) == (KEPT, [], 0)


def test_killed_between_batches_the_next_run_deletes_the_rest(slow: World):
    with task(slow, "1"):
        wait_until("some rows are gone", lambda: KEPT < slow.rows() < KEPT + OLD)
    assert slow.rows() > KEPT
    slow.policy["pace"]["pause_seconds"] = 0
    record = slow.run_tasks("2")
    assert slow.record("1").steps[0].outcome is StepOutcome.FAILED
    assert slow.record("1").steps[0].what == "its task was killed before it was done"
    assert {step.outcome for step in record.steps} == {StepOutcome.DONE}
    assert is_finished(slow)


def test_killed_during_a_rebuild_the_next_run_finishes_it(world: World):
    world.policy["retention"] = []
    world.policy["lock_timeout_seconds"] = 30
    world.make("DELETE FROM {sessions} WHERE part > 720")
    world.make("VACUUM ANALYZE {sessions}")
    with world.transaction("UPDATE {sessions} SET body = 'y' WHERE part = 1"):
        with task(world, "1"):
            wait_until("the new index is there and waits for the transaction", world.invalid)
        wait_until("the session of the killed task is gone", lambda: world.value(OURS) == 0)
    assert len(world.invalid()) == 1
    record = world.run_tasks("2")
    assert is_finished(world)
    assert [step.action for step in record.steps].count(Action.REBUILD) == 2


def test_session_that_is_ended_is_opened_again(slow: World):
    with task(slow, "1") as process:
        wait_until("some rows are gone", lambda: KEPT < slow.rows() < KEPT + OLD)
        wait_until("a session of ours is ended", lambda: slow.value(END_OURS))
        assert process.wait(timeout=60) == 0
    assert is_finished(slow)
    assert {step.outcome for step in slow.record("1").steps} == {StepOutcome.DONE}


def test_server_that_restarts_is_waited_for(slow: World):
    with task(slow, "1") as process:
        wait_until("some rows are gone", lambda: KEPT < slow.rows() < KEPT + OLD)
        slow.restart()
        process.wait(timeout=90)
    slow.policy["pace"]["pause_seconds"] = 0
    slow.run_tasks("2")
    assert is_finished(slow)


def test_orphan_of_a_killed_task_is_ended_and_nobody_else(world: World):
    with world.application("docrag_maintenance") as orphan, world.application() as theirs:
        orphan.execute("SET application_name = 'docrag-ops database_maintenance'")
        theirs.execute("SET application_name = 'docrag-ops database_maintenance'")
        world.run()
        with pytest.raises(psycopg.OperationalError):
            orphan.execute("SELECT 1")
        assert theirs.execute("SELECT 1").fetchone() == (1,)


@contextmanager
def at_work(world: World, statement: str) -> Iterator[list[str]]:
    """A session of the application's that runs a statement over and over; yields its errors."""
    errors: list[str] = []
    end = threading.Event()

    def work() -> None:
        with world.application() as connection:
            connection.execute("SET statement_timeout = '20s'")
            while not end.is_set():
                try:
                    connection.execute(world.named(statement))
                except psycopg.Error as error:
                    errors.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield errors
    finally:
        end.set()
        thread.join()


def test_beside_readers_and_writers_nothing_of_theirs_is_lost(world: World):
    world.policy |= {"pace": {"rows": 50, "pause_seconds": 0.01}, "lock_timeout_seconds": 2}
    world.make("CREATE SEQUENCE numbers START 5000; CREATE TABLE written (part int)")
    write = """
        WITH new AS (
            INSERT INTO {sessions} SELECT gen_random_uuid(), nextval('numbers'), now(), 'n' RETURNING part)
        INSERT INTO written SELECT part FROM new"""
    touch = """UPDATE {sessions} SET "Last ""seen"" %" = now() WHERE part = 2500 + (random() * 400)::int"""
    read = "SELECT * FROM {sessions} WHERE part = 17"
    with at_work(world, write) as one, at_work(world, read) as two, at_work(world, touch) as three:
        record = world.run_tasks("1")
    assert one + two + three == []
    assert {step.outcome for step in record.steps} == {StepOutcome.DONE}
    assert record.after["longest_wait_seconds of others"] < world.policy["lock_timeout_seconds"]
    assert world.value("SELECT count(*) FROM written WHERE part NOT IN (SELECT part FROM {sessions})") == 0
    assert world.value("SELECT count(*) FROM {sessions} WHERE part <= 720") == KEPT
    assert world.invalid() == []


@pytest.fixture
def exporting(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    export_to(tmp_path, world, monkeypatch)
    world.policy["pace"]["rows"] = 500
    return tmp_path


def test_deleted_rows_come_back_from_their_files(world: World, exporting: Path):
    world.make("CREATE TABLE kept AS SELECT * FROM {sessions}")
    _, said = world.run()
    assert f"{OLD:,} rows deleted in 5 batches, exported to 5 files" in said[0]
    back = "INSERT INTO {sessions} SELECT * FROM json_populate_record(NULL::{sessions}, {row})"
    with world.application() as connection:
        for file in exporting.rglob("*.gz"):
            for line in gzip.decompress(file.read_bytes()).decode().splitlines():
                connection.execute(world.named(back, row=sql.Literal(line)))
    assert world.value("SELECT count(*) FROM (TABLE kept EXCEPT TABLE {sessions}) AS missing") == 0
    assert world.rows() == KEPT + OLD


def test_row_that_cannot_be_read_back_is_not_deleted(
    world: World, exporting: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(archive_folder, "_read", lambda path: (1, "another digest"))
    kind = world.change()
    with pytest.raises(StepFailedError, match="holds 1 rows when read back, 500 were written"):
        kind.apply(step_of(kind.plan(), Action.DELETE))
    assert world.rows() == KEPT + OLD


def test_killed_while_it_exports_no_row_is_lost(
    world: World, exporting: Path, monkeypatch: pytest.MonkeyPatch
):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(archive_folder, "_read", killed)
        with pytest.raises(KeyboardInterrupt):
            world.run_tasks("1")
    assert world.rows() == KEPT + OLD
    world.run_tasks("2")
    assert is_finished(world)
    assert list(exporting.rglob("*.partial")) == []


def test_archive_that_is_not_there_leaves_the_table_alone(world: World, exporting: Path):
    exporting.rmdir()
    plan = world.plan()
    assert Action.DELETE not in [step.action for step in plan.steps]
    assert "expected a folder that can be written to" in plan.unknown[0][1]
