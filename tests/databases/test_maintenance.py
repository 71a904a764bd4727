"""The maintenance on a real PostgreSQL 15: what it plans, does and proves, with names that nobody would choose."""

import os
from pathlib import Path

import pytest
from psycopg import sql

from docrag_ops.core.errors import CouldNotMeasureError, StepFailedError
from docrag_ops.core.maintenance import proof
from docrag_ops.core.maintenance.plan import Action
from docrag_ops.hooks.maintenance_measures import Measures
from docrag_ops.hooks.old_rows import OldRows
from docrag_ops.hooks.retention import Hindrance
from tests.databases.maintenance import SCHEMA, SESSIONS, World, actions, export_to, step_of

pytestmark = pytest.mark.sandbox
KEPT, OLD = 720, 2280


def test_old_rows_go_the_younger_stay_and_the_table_is_cared_for(world: World):
    kind = world.change()
    plan = kind.plan()
    assert actions(plan) == [Action.DELETE, Action.VACUUM, Action.REBUILD, Action.REBUILD]
    before = kind.measure(plan)
    for step in plan.steps:
        kind.apply(step)
    after = kind.measure(plan)
    assert world.rows() == KEPT
    assert world.value("""SELECT min("Last ""seen"" %") > now() - interval '30 days' FROM {sessions}""")
    assert kind.improved(plan, before, after) == ""
    label = plan.steps[0].subject
    assert (before[f"rows beyond retention {label}"], after[f"rows beyond retention {label}"]) == (OLD, 0)
    rebuilt = [step.subject for step in plan.steps if step.action == Action.REBUILD]
    assert all(after[f"size_bytes {name}"] < before[f"size_bytes {name}"] for name in rebuilt)
    assert all(after[f"bloat_ratio {name}"] < 0.1 for name in rebuilt)
    assert after[proof.INVALID] == 0


def test_nothing_to_do_is_said_with_the_numbers(world: World):
    world.run()
    plan = world.plan()
    assert plan.steps == ()
    assert plan.summary.startswith("Nothing asks for maintenance. 1 tables, at most 0 % dead rows")
    assert "has 0 rows older than 30 days" in plan.summary


def test_amounts_are_held_against_the_limits(world: World):
    plan = world.plan()
    assert (plan.amounts["rows"], plan.amounts["share"]) == (OLD, 0.76)
    assert plan.amounts["rebuilt_bytes"] == sum(
        step.size_bytes for step in plan.steps if step.action == Action.REBUILD
    )


NOT_TO_BE_DELETED_FROM = {
    ("missing", "made"): "there is no such table",
    ("seen", "made"): "it is no table",
    ("plain", "creatd_at"): "it has no column 'creatd_at', only id, made, note",
    ("texts", "note"): "its column 'note' is text; expected a timestamp or a date",
    ("foreign", "made"): "it belongs to postgres",
    ("parent", "made"): "would change other tables: child_fk of child",
    ("ruled", "made"): "a rule turns DELETE into something else: kept",
}


def test_table_that_must_not_be_deleted_from_is_named_and_the_rest_is_done(world: World):
    world.make(
        """
        CREATE TABLE plain (id int PRIMARY KEY, made date, note text);
        CREATE TABLE texts (LIKE plain);
        CREATE VIEW seen AS SELECT * FROM plain;
        CREATE TABLE parent (id int PRIMARY KEY, made date);
        CREATE TABLE child (id int CONSTRAINT child_fk REFERENCES parent ON DELETE CASCADE);
        CREATE TABLE ruled (id int PRIMARY KEY, made date);
        CREATE RULE kept AS ON DELETE TO ruled DO INSTEAD NOTHING;
        """
    )
    with world.superuser() as connection:
        connection.execute('CREATE TABLE "foreign" (id int PRIMARY KEY, made date)')
    for table, column in NOT_TO_BE_DELETED_FROM:
        world.policy["retention"].append({"table": ["public", table], "column": column, "days": 1})
    plan = world.plan()
    told = dict(plan.unknown)
    assert {
        name: words
        for (name, _), words in NOT_TO_BE_DELETED_FROM.items()
        if words not in told.get(f"public.{name}", "")
    } == {}
    assert Action.DELETE in actions(plan)


def test_table_of_somebody_else_that_asks_for_care_is_named(world: World):
    with world.superuser() as connection:
        connection.execute(
            "CREATE TABLE theirs WITH (autovacuum_enabled = off) AS SELECT n FROM generate_series(1, 5000) AS n"
        )
        connection.execute("ANALYZE theirs")
        connection.execute("DELETE FROM theirs")
        connection.execute("SELECT pg_stat_force_next_flush()")
    assert [(name, "it belongs to postgres" in why) for name, why in world.plan().unknown] == [
        ("public.theirs", True)
    ]


@pytest.mark.parametrize(
    ("hold", "kept"),
    [
        ({"reason": "case 1"}, 3000),
        ({"reason": "case 1", "column": "held"}, KEPT + 5),
        ({"reason": "case 1", "column": "part", "values": ["2999", "3000", "1"]}, KEPT + 2),
    ],
)
def test_legal_hold_keeps_its_rows(world: World, hold: dict[str, object], kept: int):
    world.make(
        "ALTER TABLE {sessions} ADD held boolean; UPDATE {sessions} SET held = true WHERE part > 2995; "
        "UPDATE {sessions} SET held = false WHERE part < 10"
    )
    world.policy["retention"][0]["legal_hold"] = hold
    plan, _ = world.run()
    assert world.rows() == kept
    assert any("legal hold (case 1)" in why for _, why in plan.protected)


def test_legal_hold_by_a_column_that_is_not_there_deletes_nothing(world: World):
    world.policy["retention"][0]["legal_hold"] = {"reason": "case 1", "column": "helt"}
    plan = world.plan()
    assert Action.DELETE not in actions(plan)
    assert "no column 'helt' for the legal hold" in plan.unknown[0][1]


def test_row_without_a_time_stays_and_is_counted(world: World):
    world.make("INSERT INTO {sessions} VALUES (gen_random_uuid(), 0, NULL)")
    plan, _ = world.run()
    assert world.rows() == KEPT + 1
    assert any("1 rows have no" in why for _, why in plan.protected)


@pytest.mark.parametrize("finds", ["next_end", "next_keys"])
def test_row_that_is_used_again_between_finding_and_deleting_stays(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, finds: str
):
    if finds == "next_keys":
        export_to(tmp_path, world, monkeypatch)
    real = getattr(OldRows, finds)

    def used_meanwhile(*arguments: object) -> object:
        found = real(*arguments)
        world.make("""UPDATE {sessions} SET "Last ""seen"" %" = now() WHERE part = 2000""")
        return found

    monkeypatch.setattr(OldRows, finds, used_meanwhile)
    world.run()
    assert world.rows() == KEPT + 1


def test_locked_rows_stay_and_are_counted_and_named(world: World):
    kind = world.change()
    step = step_of(kind.plan(), Action.DELETE)
    locking = "SELECT * FROM {sessions} WHERE part IN (2000, 2001) FOR UPDATE"
    with world.transaction(locking), pytest.raises(StepFailedError) as caught:
        kind.apply(step)
    assert world.rows() == KEPT + 2
    text = str(caught.value)
    assert text.startswith("2 rows are locked and stay (the first keys: ")
    assert ", 2000" in text
    assert "(sandbox, idle in transaction" in text
    assert not kind.was_done(step)


KEYS = {
    "bigint": "n",
    "text": "'k %s \"' || n",
    "numeric(20,5)": "n / 7.0",
    "timestamp": "timestamp '2020-01-01' + n * interval '1 microsecond'",
    "bytea": "decode(md5(n::text), 'hex')",
    "inet": "'10.0.0.0'::inet + n",
    "float8": "n / 3.0",
    "int[]": "ARRAY[n, n]",
    "char(12)": "n::text",
    '"Mood %s"': '(\'m%s"\' || n)::"Mood %s"',
}


def test_replica_that_lags_stops_the_deletes_after_a_batch(world: World, monkeypatch: pytest.MonkeyPatch):
    behind = Hindrance(lags="the replica r is 99 s behind (1 GB)")
    monkeypatch.setattr(Measures, "hindrance", lambda *_: behind)
    world.policy["pace"] |= {"rows": 100, "patience_seconds": 0.2}
    kind = world.change()
    told = r"99 s behind \(1 GB\) for 0.2 s.* rows deleted in 1 batches"
    with pytest.raises(StepFailedError, match=told):
        kind.apply(step_of(kind.plan(), Action.DELETE))
    assert KEPT + OLD - 100 <= world.rows() < KEPT + OLD


def test_every_type_of_key(world: World):
    labels = sql.SQL(", ").join(f'm%s"{number}' for number in range(1, 31))
    world.policy["pace"]["rows"] = 7
    world.policy["retention"] = []
    with world.application() as connection:
        connection.execute(sql.SQL('CREATE TYPE "Mood %s" AS ENUM ({})').format(labels))
        for number, (kind, keys) in enumerate(KEYS.items()):
            text = (
                "CREATE TABLE {table} (k {kind} PRIMARY KEY, made date); "
                "INSERT INTO {table} SELECT {keys}, '2020-01-01' FROM generate_series(1, 30) AS n"
            )
            name = f"t{number}"
            parts = {"table": sql.Identifier(name), "kind": sql.SQL(kind), "keys": sql.SQL(keys)}
            connection.execute(sql.SQL(text).format(**parts))
            world.policy["retention"].append({"table": ["public", name], "column": "made", "days": 1})
    plan, _ = world.run()
    assert actions(plan).count(Action.DELETE) == len(KEYS)
    assert [seen for seen in world.plan().steps if seen.action == Action.DELETE] == []


def test_table_without_a_key_is_cleaned_page_by_page(world: World):
    world.make(
        "CREATE TABLE keyless AS SELECT date '2020-01-01' + (n % 2) * 3650 AS made, repeat('x', 500) AS body "
        "FROM generate_series(1, 2000) AS n"
    )
    world.policy["retention"] = [{"table": ["public", "keyless"], "column": "made", "days": 1}]
    world.run()
    assert world.value("SELECT array_agg(DISTINCT made::text) FROM keyless") == ["2029-12-29"]


def test_few_old_rows_among_many_are_found_and_deleted_by_their_keys(world: World):
    world.make(
        """UPDATE {sessions} SET "Last ""seen"" %" = now() WHERE part %% 100 <> 0""".replace("%%", "%")
    )
    world.policy["pace"]["rows"] = 5
    _, said = world.run()
    assert world.rows() == KEPT + OLD - 23
    assert said[0].startswith("23 rows deleted in 5 batches")


def test_ranges_that_hold_no_old_row_are_passed_over(world: World):
    world.policy["pace"] |= {"rows": 7, "pause_seconds": 0}
    world.run()
    assert world.rows() == KEPT


def test_children_of_an_inherited_table_are_cleaned_too(world: World):
    world.make(
        "CREATE TABLE base (id int PRIMARY KEY, made date); CREATE TABLE sub (PRIMARY KEY (id)) INHERITS (base); "
        "INSERT INTO base VALUES (1, '2020-01-01'); INSERT INTO sub VALUES (1, '2020-01-01'), (2, now())"
    )
    world.policy["retention"] = [{"table": ["public", "base"], "column": "made", "days": 1}]
    world.run()
    assert world.value("SELECT count(*) FROM base") == 1


def test_server_that_is_read_only_is_refused(world: World):
    with world.superuser() as connection:
        connection.execute(f"ALTER DATABASE {world.database} SET default_transaction_read_only = on")
    with pytest.raises(
        CouldNotMeasureError, match="docrag_postgres_change is read-only; expected the primary"
    ):
        world.plan()


def test_two_different_databases_are_refused(world: World, monkeypatch: pytest.MonkeyPatch):
    other = os.environ["AIRFLOW_CONN_DOCRAG_POSTGRES"].replace(world.database, "docrag")
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_POSTGRES", other)
    with pytest.raises(CouldNotMeasureError, match="leads to the database 'docrag'"):
        world.plan()


def test_table_dropped_after_the_plan_is_left_alone(world: World):
    kind = world.change()
    plan = kind.plan()
    world.make("DROP TABLE {sessions}")
    assert [kind.look(step) for step in plan.steps] == [None] * len(plan.steps)
    assert kind.measure(plan)[proof.INVALID] == 0


def test_row_level_security_is_no_way_to_count_too_few(world: World):
    world.make(
        "ALTER TABLE {sessions} ENABLE ROW LEVEL SECURITY; ALTER TABLE {sessions} FORCE ROW LEVEL SECURITY"
    )
    assert "row-level security" in dict(world.plan().unknown)[f"{SCHEMA}.{SESSIONS}".replace("\n", "\\n")]
