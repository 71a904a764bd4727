"""Really killed during a vacuum, a detach or an export: the next run, or the next attempt, finishes the work."""

import gzip
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docrag_ops.core.changes import StepOutcome
from docrag_ops.core.errors import StepFailedError
from docrag_ops.core.maintenance.plan import Action
from tests.databases.maintenance import World, export_to, step_of, wait_until
from tests.databases.test_maintenance_interrupted import END_OURS, KEPT, OLD, OURS, is_finished, task
from tests.databases.test_maintenance_partitions import LOGS, ids

pytestmark = pytest.mark.sandbox
VACUUMING = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE datname = current_database()"
PENDING = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending"
# Every row takes a moment to be written as JSON: there is time to kill.
SLOW = """
CREATE TYPE slow AS ENUM ('x');
CREATE FUNCTION slowly(slow) RETURNS json LANGUAGE sql AS 'SELECT to_json(pg_sleep(0.05)::text)';
CREATE CAST (slow AS json) WITH FUNCTION slowly(slow);
ALTER TABLE {table} ADD slow slow DEFAULT 'x';
"""


@pytest.fixture
def dead(world: World) -> World:
    """A table with many dead rows, and a vacuum that takes its time."""
    world.policy["retention"] = []
    world.policy["vacuum"] |= {"cost_delay_ms": 100}
    more = "INSERT INTO {sessions} SELECT gen_random_uuid(), 3000 + n, now(), repeat('x', 100) "
    world.make(more + "FROM generate_series(1, 2000) AS n")
    world.make("DELETE FROM {sessions} WHERE part > 720")
    return world


def next_run_finishes(world: World) -> None:
    world.policy["vacuum"]["cost_delay_ms"] = 0
    world.policy["lock_timeout_seconds"] = 2
    record = world.run_tasks("2")
    assert [(step.what, step.outcome) for step in record.steps if step.outcome is not StepOutcome.DONE] == []
    assert {step.action for step in world.plan().steps} <= {Action.ANALYZE, Action.REBUILD}


def test_killed_during_a_vacuum_the_next_run_finishes_it(dead: World):
    with task(dead, "1"):
        wait_until("it vacuums", lambda: dead.value(VACUUMING))
    wait_until("the session of the killed task is gone", lambda: dead.value(OURS) == 0)
    assert dead.record("1").steps[0].outcome is StepOutcome.STARTED
    next_run_finishes(dead)
    assert is_finished(dead)


@pytest.mark.parametrize(
    "end",
    [lambda world: world.value(END_OURS), World.restart, lambda world: world.restart(signal.SIGQUIT)],
    ids=["session", "restart", "crash"],
)
def test_vacuum_whose_session_or_server_is_ended_is_finished(dead: World, end: Callable[[World], None]):
    with task(dead, "1") as process:
        wait_until("it vacuums", lambda: dead.value(VACUUMING))
        end(dead)
        process.wait(timeout=120)
    next_run_finishes(dead)
    assert is_finished(dead)


@pytest.fixture
def logs(world: World) -> World:
    """Partitions, and a detach that waits for readers."""
    world.make("DROP TABLE {sessions}")
    world.make(LOGS)
    world.policy["retention"] = [{"table": ["public", "Log's %s"], "column": "made", "days": 30}]
    world.policy["lock_timeout_seconds"] = 3
    return world


def test_killed_during_a_detach_the_next_run_finishes_it(logs: World):
    with logs.transaction("""SELECT * FROM "Log's %s" """):
        with task(logs, "1"):
            wait_until("the detach waits for the reader", lambda: logs.value(PENDING))
        wait_until("the session of the killed task is gone", lambda: logs.value(OURS) == 0)
    assert (logs.value(PENDING), "old_1" in logs.tables()) == (1, True)
    next_run_finishes(logs)
    assert (logs.tables(), ids(logs), logs.value(PENDING)) == (["young"], [301], 0)


def test_detach_whose_session_is_ended_is_finished_by_the_next_attempt(logs: World):
    with task(logs, "1") as process:
        with logs.transaction("""SELECT * FROM "Log's %s" """):
            wait_until("the detach waits for the reader", lambda: logs.value(PENDING))
            wait_until("its session is ended", lambda: logs.value(END_OURS))
        assert process.wait(timeout=120) == 0
    assert (logs.tables(), ids(logs), logs.value(PENDING)) == (["young"], [301], 0)


def exported_rows(folder: Path) -> int:
    """The rows of all files that the manifests name, each file as long as its line says."""
    rows = 0
    for manifest in folder.rglob("manifest.jsonl"):
        for one in map(json.loads, manifest.read_text().splitlines()):
            lines = gzip.decompress((manifest.parent / one["name"]).read_bytes()).splitlines()
            assert len(lines) == one["rows"]
            rows += one["rows"]
    return rows


def kill_while_it_exports(world: World, folder: Path) -> None:
    with task(world, "1"):
        wait_until("it writes a file", lambda: list(folder.rglob("*.partial")))
    wait_until("the session of the killed task is gone", lambda: world.value(OURS) == 0)
    assert (len(list(folder.rglob("*.partial"))), list(folder.rglob("manifest.jsonl"))) == (1, [])
    world.make("DROP CAST (slow AS json)")


def test_killed_while_it_exports_rows_none_is_lost(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    export_to(tmp_path, world, monkeypatch)
    world.make(SLOW.replace("{table}", "{sessions}"))
    kill_while_it_exports(world, tmp_path)
    assert world.rows() == KEPT + OLD
    next_run_finishes(world)
    assert (world.rows(), exported_rows(tmp_path), list(tmp_path.rglob("*.partial"))) == (KEPT, OLD, [])


def test_killed_while_it_exports_a_partition_none_is_lost(
    logs: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    export_to(tmp_path, logs, monkeypatch)
    logs.make(SLOW.replace("{table}", """ "Log's %s" """))
    kill_while_it_exports(logs, tmp_path)
    assert logs.value("SELECT count(*) FROM old_1") == 100
    next_run_finishes(logs)
    assert (logs.tables(), ids(logs), exported_rows(tmp_path)) == (["young"], [301], 102)


@pytest.fixture
def with_prepared_transactions(world: World) -> Iterator[World]:
    """Prepared transactions are off by default, and on only after a restart."""
    _set_most_prepared(world, 5)
    yield world
    world.make("ROLLBACK PREPARED 'forgotten'")
    _set_most_prepared(world, 0)


def _set_most_prepared(world: World, most: int) -> None:
    with world.superuser() as connection:
        connection.execute(f"ALTER SYSTEM SET max_prepared_transactions = {most}")
    world.restart()


def test_prepared_transaction_that_nobody_ends_is_named(with_prepared_transactions: World):
    world = with_prepared_transactions
    with world.application() as connection:
        connection.execute("BEGIN")
        connection.execute(world.named("UPDATE {sessions} SET body = 'y' WHERE part = 2000"))
        connection.execute("PREPARE TRANSACTION 'forgotten'")
    kind = world.change()
    plan = kind.plan()
    with pytest.raises(
        StepFailedError, match=r"1 rows are locked .*: prepared transaction forgotten \(docrag"
    ):
        kind.apply(step_of(plan, Action.DELETE))
    with pytest.raises(
        StepFailedError, match=r"dead rows cannot be removed yet; held by: .*prepared transaction forgot"
    ):
        kind.apply(step_of(plan, Action.VACUUM))
