"""What real databases have: foreign keys, triggers, views, zones, roles with settings; and tables that are locked."""

import time
from datetime import UTC, datetime

import pytest

from docrag_ops.core.errors import StepFailedError
from docrag_ops.core.maintenance.plan import Action
from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.include import INCLUDE
from docrag_ops.hooks.maintenance_session import CHANGES
from tests.databases.maintenance import World, actions, step_of

pytestmark = pytest.mark.sandbox
KEPT, OLD = 720, 2280
PARTS = """
CREATE TABLE logs (id int, made date NOT NULL) PARTITION BY RANGE (made);
CREATE TABLE old_1 PARTITION OF logs (CHECK (id > 0)) FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE young PARTITION OF logs FOR VALUES FROM ('2020-02-01') TO ('2999-01-01');
INSERT INTO logs VALUES (1, '2020-01-15'), (2, '2020-02-15'), (3, now());
"""
PLAIN = """
CREATE TABLE plain (id int PRIMARY KEY, parent int, made date);
INSERT INTO plain SELECT n, n - 1, '2020-01-01' FROM generate_series(1, 12) AS n;
"""


def retain(world: World, table: str, column: str = "made") -> None:
    world.policy["retention"] = [{"table": ["public", table], "column": column, "days": 30}]


def test_table_that_somebody_has_locked_keeps_no_other_from_its_care(world: World):
    world.make("CREATE TABLE locked (id int PRIMARY KEY, made date)")
    world.policy["retention"].append({"table": ["public", "locked"], "column": "made", "days": 30})
    with world.transaction("TRUNCATE locked"):
        kind = world.change()
        plan = kind.plan()
        before = kind.measure(plan)
        kind.apply(step_of(plan, Action.DELETE))
    assert [(name, "lock timeout" in why) for name, why in plan.unknown] == [("public.locked", True)]
    assert ("public.locked_pkey", "somebody has locked it, or just dropped it") in plan.protected
    assert (world.rows(), min(before.values()) >= 0) == (KEPT, True)


def test_subject_that_is_locked_at_the_proof_has_no_size(world: World):
    kind = world.change()
    plan = kind.plan()
    label = f"size_bytes {plan.steps[0].subject}"
    with world.transaction("LOCK TABLE {sessions}"):
        assert label not in kind.measure(plan)
    assert kind.measure(plan)[label] > 0


@pytest.mark.parametrize("action", ["NO ACTION", "RESTRICT", "NO ACTION DEFERRABLE INITIALLY DEFERRED"])
def test_rows_that_others_point_to_stay_and_the_rest_goes(world: World, action: str):
    world.make(PLAIN)
    world.make(f"CREATE TABLE child (id int REFERENCES plain ON DELETE {action})")
    world.make("INSERT INTO child VALUES (7), (9)")
    retain(world, "plain")
    plan, said = world.run()
    assert world.value("SELECT array_agg(id ORDER BY id) FROM plain") == [7, 9]
    assert said[0].startswith("10 rows deleted")
    assert ("public.plain", "2 old rows stay: rows of other tables point to them") in plan.protected
    assert Action.DELETE not in actions(world.plan())


def test_foreign_key_without_an_index_is_joined_when_rows_are_counted(world: World):
    """Searched for each row, the counting alone would take hours; here a minute is given it."""
    world.make(
        "CREATE TABLE plain AS SELECT n AS id, date '2020-01-01' AS made FROM generate_series(1, 100000) AS n; "
        "ALTER TABLE plain ADD PRIMARY KEY (id); CREATE TABLE child AS SELECT id AS plain FROM plain WHERE id < 20000; "
        "ALTER TABLE child ADD FOREIGN KEY (plain) REFERENCES plain; ANALYZE plain, child"
    )
    retain(world, "plain")
    began = time.monotonic()
    assert step_of(world.plan(), Action.DELETE).details["rows"] == 80_001
    assert time.monotonic() - began < 60


def test_rows_that_point_to_each_other_go_one_after_the_other(world: World):
    world.make(PLAIN)
    world.make(
        "UPDATE plain SET parent = NULL WHERE id = 1; ALTER TABLE plain ADD FOREIGN KEY (parent) REFERENCES plain"
    )
    retain(world, "plain")
    for _ in range(12):
        world.run()
        if world.value("SELECT count(*) FROM plain") == 0:
            return
    pytest.fail("rows are left")


def test_cascade_from_a_single_partition_is_seen(world: World):
    world.make(PARTS + "ALTER TABLE old_1 ADD PRIMARY KEY (id); "
               "CREATE TABLE child (id int CONSTRAINT child_fk REFERENCES old_1 ON DELETE CASCADE)")  # fmt: skip
    retain(world, "logs")
    plan = world.plan()
    assert not {Action.DELETE, Action.DROP_PART} & set(actions(plan))
    assert "would change other tables: child_fk of child" in dict(plan.unknown)["public.logs"]


def test_rows_that_a_trigger_keeps_are_said_to_be(world: World):
    world.make(PLAIN)
    world.make("CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
               "CREATE TRIGGER never BEFORE DELETE ON plain FOR EACH ROW EXECUTE FUNCTION stays()")  # fmt: skip
    retain(world, "plain")
    kind = world.change()
    step = step_of(kind.plan(), Action.DELETE)
    assert "it fires never" in step.details["why"]
    with pytest.raises(StepFailedError, match="12 rows are locked, or kept by never and stay"):
        kind.apply(step)


NEEDED = {
    "a view": "CREATE VIEW seen AS SELECT * FROM old_1",
    "a key": "ALTER TABLE old_1 ADD PRIMARY KEY (id); CREATE TABLE child (id int REFERENCES old_1)",
    "a trigger": "CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'; "
    "CREATE TRIGGER noted BEFORE DELETE ON logs FOR EACH ROW EXECUTE FUNCTION notes()",
}


@pytest.mark.parametrize("need", NEEDED)
def test_partition_that_something_needs_loses_its_rows_only(world: World, need: str):
    world.make(PARTS + NEEDED[need])
    retain(world, "logs")
    plan, _ = world.run()
    assert Action.DROP_PART not in actions(plan)
    assert world.value("SELECT array_agg(id) FROM logs") == [3]
    assert "old_1" in world.tables()


def test_partition_that_is_needed_by_nothing_leaves(world: World):
    world.make(PARTS)
    retain(world, "logs")
    world.run()
    assert "old_1" not in world.tables()


def test_partition_on_another_server_or_of_somebody_else_is_named_and_the_others_are_cleaned(world: World):
    world.make(PARTS)
    with world.superuser() as connection:
        connection.execute(
            "CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER far FOREIGN DATA WRAPPER nothing"
        )
        connection.execute("CREATE FOREIGN TABLE far_1 PARTITION OF logs FOR VALUES FROM ('2019-01-01') "
                           "TO ('2019-02-01') SERVER far")  # fmt: skip
        connection.execute(
            "CREATE TABLE theirs PARTITION OF logs FOR VALUES FROM ('2018-01-01') TO ('2018-02-01')"
        )
    retain(world, "logs")
    plan, _ = world.run()
    told = dict(plan.unknown)
    assert "it is a foreign table" in told["public.far_1"]
    assert "permission denied" in told["public.theirs"]
    assert "old_1" not in world.tables()


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "UTC", "Asia/Tokyo"])
def test_time_without_a_zone_is_never_taken_for_an_older_one(world: World, zone: str):
    """Rows are as old as their clock says, whether it showed UTC or the time of the database."""
    with world.superuser() as connection:
        connection.execute(f"ALTER DATABASE {world.database} SET timezone = '{zone}'")
    with world.application() as connection:
        connection.execute(
            "CREATE TABLE plain AS "
            "SELECT age, (now() - age::interval) AT TIME ZONE zone AS made "
            "FROM unnest(ARRAY['UTC', current_setting('timezone')]) AS zone, "
            "unnest(ARRAY['719 hours', '744 hours']) AS age"
        )
    retain(world, "plain")
    world.run()
    assert world.value("SELECT array_agg(age) FROM plain") == ["719 hours"] * 2


def test_time_that_a_clock_shows_twice_is_not_taken_for_the_first_one(world: World):
    """At 09:10 UTC the clocks of Los Angeles showed 01:10 for the second time; at 08:50 they had shown 01:50."""
    with world.superuser() as connection:
        connection.execute(f"ALTER DATABASE {world.database} SET timezone = 'America/Los_Angeles'")
    query = (INCLUDE / "sql/maintenance/local_cutoff.sql").read_bytes()
    with world.application() as connection:
        cutoff = connection.execute(query, {"cutoff": datetime(2026, 11, 1, 8, 50, tzinfo=UTC)}).fetchone()
    assert cutoff < ("2026-11-01 01:10",)


SETTINGS = {
    "statement_timeout": "'1ms'",
    "lock_timeout": "'1ms'",
    "idle_in_transaction_session_timeout": "'1ms'",
    "idle_session_timeout": "'1min'",
    "default_transaction_isolation": "serializable",
    "client_min_messages": "error",
    "datestyle": "'SQL, DMY'",
    "timezone": "'Asia/Tokyo'",
}


def test_settings_of_the_role_do_not_spoil_the_work(world: World):
    with world.superuser() as connection:
        for name, value in SETTINGS.items():
            connection.execute(
                f"ALTER ROLE docrag_maintenance IN DATABASE {world.database} SET {name} = {value}"
            )
    with DatabaseHook(CHANGES).opened("") as (session, _):
        assert session.execute("SHOW idle_session_timeout").fetchone() == ("0",)
    kind = world.change()
    plan = kind.plan()
    for step in plan.steps:
        kind.apply(step)
    assert world.rows() == KEPT
    with (
        world.transaction("LOCK TABLE {sessions}"),
        pytest.raises(StepFailedError, match="lock not available"),
    ):
        kind.apply(step_of(plan, Action.VACUUM))


def test_freeze_that_an_old_transaction_holds_up_is_no_success(world: World):
    world.policy["vacuum"]["age_share"] = 1e-7
    world.policy["retention"] = []
    with world.transaction("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1"):
        with world.superuser() as connection:
            for _ in range(40):
                connection.execute("SELECT pg_current_xact_id()")
        kind = world.change()
        with pytest.raises(
            StepFailedError, match=r"is still \d+ transactions old; held by: session .* \(sandbox"
        ):
            kind.apply(step_of(kind.plan(), Action.VACUUM))


def test_table_whose_counters_were_lost_is_vacuumed(world: World):
    """As after a crash: no dead row is known of, and there are many."""
    world.make("DELETE FROM {sessions} WHERE part > 720")
    world.policy["retention"] = []
    with world.superuser() as connection:
        connection.execute("SELECT pg_stat_reset()")
    step = step_of(world.plan(), Action.VACUUM)
    assert "its counters were lost" in step.details["why"]
    world.run()
    assert Action.VACUUM not in actions(world.plan())


def test_index_of_an_exclusion_constraint_is_named(world: World):
    world.make("CREATE TABLE booked (room int, EXCLUDE USING btree (room WITH =)); "
               "INSERT INTO booked SELECT n FROM generate_series(1, 20000) AS n; "
               "DELETE FROM booked WHERE room > 100")  # fmt: skip
    with world.application() as connection:
        connection.execute("VACUUM ANALYZE booked")
    plan = world.plan()
    assert "exclusion constraint only under a lock" in dict(plan.protected)["public.booked_room_excl"]
