"""Partitions that have expired leave whole; what may not leave stays, whatever interrupted the way there."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from docrag_ops.core.changes import StepOutcome
from docrag_ops.core.errors import StepFailedError
from docrag_ops.core.maintenance.plan import Action
from docrag_ops.hooks.partitions import ExpiredPartition
from tests.databases.maintenance import World, actions, export_to, step_of

pytestmark = pytest.mark.sandbox
LOGS = """
CREATE TABLE "Log's %s" (id bigint, made timestamptz NOT NULL, held boolean, body json) PARTITION BY RANGE (made);
CREATE TABLE old_1 PARTITION OF "Log's %s" FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE old_2 PARTITION OF "Log's %s" FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
CREATE TABLE young PARTITION OF "Log's %s" FOR VALUES FROM ('2020-03-01') TO ('2999-01-01');
INSERT INTO "Log's %s" SELECT n, '2020-01-15', NULL, '{{"a" :\n 1}}' FROM generate_series(1, 100) AS n;
INSERT INTO "Log's %s" VALUES (200, '2020-02-10'), (300, '2020-03-10'), (301, now());
ANALYZE;
"""


@pytest.fixture
def logs(world: World) -> World:
    world.make("DROP TABLE {sessions}")
    world.make(LOGS)
    world.policy["retention"] = [{"table": ["public", "Log's %s"], "column": "made", "days": 30}]
    return world


@pytest.fixture
def archive(logs: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    export_to(tmp_path, logs, monkeypatch)
    return tmp_path


class Killed:
    """Ends the task the first time, as `kill -9` would; then there is nothing to export."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, *_: object) -> None:
        self.calls += 1
        if self.calls == 1:
            raise KeyboardInterrupt


def ids(world: World) -> list[int]:
    return list(world.value("""SELECT array_agg(id ORDER BY id) FROM "Log's %s" """))


def test_expired_partitions_leave_and_of_the_others_rows(logs: World):
    plan, _ = logs.run()
    assert [(step.action, step.subject) for step in plan.steps if step.action != Action.ANALYZE] == [
        (Action.DROP_PART, "public.old_1"),
        (Action.DROP_PART, "public.old_2"),
        (Action.DELETE, "public.young"),
    ]
    assert (plan.amounts["partitions"], plan.amounts["rows"]) == (2, 102)
    assert (logs.tables(), ids(logs)) == (["young"], [301])


def test_partition_leaves_while_its_parent_is_read_and_written(logs: World):
    """What only looks at other partitions is not in the way, and does not wait."""
    with logs.transaction("SELECT 1"):
        _, said = logs.run()
    assert logs.tables() == ["young"]
    assert all("others waited at most 0.0" in text for text in said)


def test_beside_a_default_partition_rows_are_deleted_instead(logs: World):
    logs.make("""CREATE TABLE rest PARTITION OF "Log's %s" DEFAULT""")
    plan, _ = logs.run()
    assert Action.DROP_PART not in actions(plan)
    assert (logs.tables(), ids(logs)) == (["old_1", "old_2", "rest", "young"], [301])


def test_partition_with_a_held_row_stays(logs: World):
    logs.make("UPDATE old_1 SET held = true WHERE id = 7")
    logs.policy["retention"][0]["legal_hold"] = {"reason": "case 1", "column": "held"}
    logs.run()
    assert (logs.tables(), ids(logs)) == (["old_1", "young"], [7, 301])


def test_row_that_is_held_after_the_plan_keeps_its_partition(logs: World):
    logs.policy["retention"][0]["legal_hold"] = {"reason": "case 1", "column": "held"}
    kind = logs.change()
    step = step_of(kind.plan(), Action.DROP_PART)
    logs.make("UPDATE old_1 SET held = true WHERE id = 7")
    with pytest.raises(StepFailedError, match="holds rows that have to stay: attach it again"):
        kind.apply(step)
    assert logs.value("SELECT count(*) FROM old_1") == 100


def test_rows_of_a_dropped_partition_are_in_its_file(logs: World, archive: Path):
    logs.run()
    files = sorted(archive.rglob("*.jsonl.gz"))
    exported = [
        json.loads(line) for file in files for line in gzip.decompress(file.read_bytes()).splitlines()
    ]
    assert sorted(row["id"] for row in exported) == [*range(1, 101), 200, 300]
    manifest = [
        json.loads(line) for path in archive.rglob("manifest.jsonl") for line in path.read_text().splitlines()
    ]
    assert sorted(one["name"] for one in manifest) == sorted(file.name for file in files)


def test_partition_whose_export_fails_is_not_dropped(logs: World, archive: Path):
    kind = logs.change()
    step = step_of(kind.plan(), Action.DROP_PART)
    (archive / "public.old_1").write_text("a file where the folder should be")
    with pytest.raises(StepFailedError, match="could not be exported"):
        kind.apply(step)
    assert logs.value("SELECT count(*) FROM old_1") == 100


def test_detach_that_waits_for_a_reader_is_finished_by_the_next_run(logs: World):
    with logs.transaction("""SELECT * FROM "Log's %s" """):
        record = logs.run_tasks("1")
    assert record.steps[0].what.startswith("after 3 attempts: ")
    assert logs.value("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == 1
    assert all(step.outcome is StepOutcome.DONE for step in logs.run_tasks("2").steps)
    assert (logs.tables(), ids(logs)) == (["young"], [301])


def test_partition_that_a_killed_task_detached_is_dropped_by_the_next_run(
    logs: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ExpiredPartition, "_export", Killed())
    with pytest.raises(KeyboardInterrupt):
        logs.run_tasks("1")
    assert (len(logs.tables()), logs.value("SELECT count(*) FROM pg_inherits")) == (3, 2)
    logs.run_tasks("2")
    assert (logs.tables(), ids(logs)) == (["young"], [301])
