"""Rebuilds beside others' work, and what they may leave behind: nothing invalid, and nothing of somebody else's."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from docrag_ops.core.errors import StepFailedError, StepInterruptedError
from docrag_ops.core.maintenance import waits
from docrag_ops.core.maintenance.plan import Action
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.maintenance_session import Bounds, identifier, statement, with_attempts, work_session
from docrag_ops.hooks.maintenance_survey import Surveyor
from docrag_ops.hooks.maintenance_watch import watching
from tests.databases.maintenance import SCHEMA, SESSIONS, World, actions, named, step_of, wait_until

pytestmark = pytest.mark.sandbox
BOUNDS = Bounds(lock_seconds=30, statement_seconds=60)
PKEY = "User \"sessions\" 100%\n'x'_pkey"


@pytest.fixture
def bloated(world: World) -> World:
    """Three quarters of the rows are gone, and vacuumed: only the indexes ask for work."""
    world.policy["retention"] = []
    with world.application() as connection:
        connection.execute(_quoted("DELETE FROM {table} WHERE part > 720"))
        connection.execute(_quoted("VACUUM ANALYZE {table}"))
    return world


def _quoted(text: str) -> psycopg.sql.Composed:
    return psycopg.sql.SQL(text).format(table=psycopg.sql.Identifier(SCHEMA, SESSIONS))


@contextmanager
def building(world: World, text: str) -> Iterator[None]:
    """A statement of the application's that builds an index, kept from its end by an older transaction."""
    with world.transaction("UPDATE {sessions} SET body = 'y' WHERE part = 1"), world.application() as builder:
        thread = threading.Thread(target=_run_whatever, args=(builder, text))
        thread.start()
        wait_until(
            "the index is being built",
            lambda: world.value("SELECT count(*) FROM pg_stat_progress_create_index"),
        )
        try:
            yield
        finally:
            builder.cancel_safe()
            thread.join()


def _run_whatever(connection: psycopg.Connection, text: str) -> None:
    try:
        connection.execute(_quoted(text))
    except psycopg.Error:
        return


def test_without_pgstattuple_bloat_is_estimated_and_said_to_be(bloated: World):
    with bloated.superuser() as connection:
        connection.execute("DROP EXTENSION pgstattuple")
    step = step_of(bloated.plan(), Action.REBUILD)
    assert "wasted, estimated from statistics" in step.details["why"]


def test_index_that_is_as_it_should_be_is_not_built_anew(world: World):
    world.policy["retention"] = []
    assert Action.REBUILD not in actions(world.plan())


def test_index_that_is_no_longer_bloated_is_left_as_it_is(bloated: World):
    kind = bloated.change()
    step = step_of(kind.plan(), Action.REBUILD)
    bloated.make("INSERT INTO {sessions} SELECT md5(n::text)::uuid, n, now(), repeat('x', 100) "
                 "FROM generate_series(721, 3000) AS n")  # fmt: skip
    assert kind.apply(step).startswith("left as it is: ")


def test_rebuild_that_an_open_transaction_holds_up_ends_and_leaves_nothing(bloated: World):
    kind = bloated.change()
    step = step_of(kind.plan(), Action.REBUILD)
    with bloated.transaction("UPDATE {sessions} SET body = 'y' WHERE part = 1"):
        with pytest.raises(StepFailedError) as caught:
            kind.apply(step)
        assert bloated.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") <= 1
    assert "after 3 attempts" in str(caught.value)
    assert "in its way: session" in str(caught.value)
    bloated.run_tasks("next")
    assert bloated.invalid() == []


def test_somebody_elses_concurrent_build_is_let_be(bloated: World):
    with building(bloated, "CREATE INDEX CONCURRENTLY theirs ON {table} (part)"):
        plan = bloated.plan()
        assert [action for action in actions(plan) if action in (Action.REBUILD, Action.DROP_LEFTOVER)] == []
        assert {why.rpartition(": ")[2] for _, why in plan.protected} == {
            "an index of its table is being built at this moment"
        }


def test_invalid_index_that_is_nobodys_rebuild_is_named_and_stays(bloated: World):
    """A unique one that failed: it has no twin, and its name only looks like one."""
    bloated.make("CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 2)")
    for name in ("theirs", "t_a_ccnew"):
        with pytest.raises(psycopg.errors.UniqueViolation):
            bloated.make(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON t (a)")
    plan = bloated.plan()
    assert Action.DROP_LEFTOVER not in actions(plan)
    told = dict(plan.protected)
    assert "its name is not one that REINDEX" in told["public.theirs"]
    assert "no valid index beside it has the same definition" in told["public.t_a_ccnew"]


def test_leftover_beside_its_valid_twin_is_dropped(bloated: World):
    with building(bloated, 'REINDEX INDEX CONCURRENTLY "Odd ""schema"" 50%s"."Odd index %s"'):
        pass
    assert len(bloated.invalid()) == 1
    plan, _ = bloated.run()
    assert (Action.DROP_LEFTOVER in actions(plan), plan.amounts["leftovers"]) == (True, 1)
    assert bloated.invalid() == []
    assert bloated.value("SELECT count(*) FROM pg_class WHERE relname = 'Odd index %s'") == 1


def test_vacuum_of_a_locked_table_is_no_silent_success(world: World):
    world.make("DELETE FROM {sessions} WHERE part > 720")
    kind = world.change()
    step = step_of(kind.plan(), Action.VACUUM)
    told = pytest.raises(StepFailedError, match=r"lock not available; session .*sandbox, idle in transaction")
    with world.transaction("LOCK TABLE {sessions} IN SHARE UPDATE EXCLUSIVE MODE"), told:
        kind.apply(step)


def test_dead_rows_that_an_old_transaction_holds_are_no_success(world: World):
    with world.transaction("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1"):
        kind = world.change()
        step = step_of(kind.plan(), Action.DELETE)
        kind.apply(step)
        with pytest.raises(
            StepFailedError, match=r"dead rows cannot be removed yet; held by: session .* \(sandbox"
        ):
            kind.apply(step_of(kind.plan(), Action.VACUUM))


def test_frozen_in_time(world: World):
    """A table whose oldest row is old by the policy is frozen, and then asks for nothing."""
    world.policy["vacuum"]["age_share"] = 1e-7
    world.policy["retention"] = []
    with world.superuser() as connection:
        for _ in range(40):
            connection.execute("SELECT pg_current_xact_id()")
    plan, _ = world.run()
    assert "transactions old" in step_of(plan, Action.VACUUM).details["why"]
    assert Action.VACUUM not in actions(world.plan())


def test_who_waits_for_us_is_seen_and_not_kept_waiting_for_long(world: World):
    hold = psycopg.sql.SQL("UPDATE {} SET body = 'z' WHERE part = 5").format(identifier(SCHEMA, SESSIONS))
    same = "UPDATE {table} SET body = 'w' WHERE part = 5"
    with (
        watching(IncludeFolder(), at_most_seconds=0.3) as watch,
        work_session(BOUNDS) as ours,
        world.application() as theirs,
    ):
        watch.follow(ours)
        waiting = threading.Thread(target=_run_whatever, args=(theirs, same))
        ours.connection.autocommit = False
        ours.run(hold)
        waiting.start()
        with pytest.raises(StepFailedError, match="canceling statement due to user request"):
            ours.run(psycopg.sql.SQL("SELECT pg_sleep(30)").format())
        ours.connection.rollback()
        waiting.join(timeout=20)
        assert not waiting.is_alive()
    assert waits.longest([waits.told(watch.longest_seconds)]) > 0.3


def test_watch_that_was_ended_watches_the_next_session_and_says_that_it_missed_some(world: World):
    with watching(IncludeFolder(), at_most_seconds=0.3) as watch, work_session(BOUNDS) as ours:
        watch.follow(ours)
        world.value("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'docrag-ops watch'")  # fmt: skip
        wait_until("it notices", lambda: watch.broken)
        watch.follow(ours)
        ours.connection.autocommit = False
        ours.connection.execute(named("LOCK TABLE {sessions}"))
        with world.application() as theirs:
            waiting = threading.Thread(target=_run_whatever, args=(theirs, "TABLE {table}"))
            waiting.start()
            wait_until("our statement is cancelled", lambda: watch.cancelled)
            ours.connection.rollback()
            waiting.join(timeout=20)
    assert watch.longest_seconds is None


def test_statement_with_hostile_names_has_them_once_only():
    text = statement(IncludeFolder(), "rebuild", index=identifier(SCHEMA, SESSIONS)).as_string()
    assert text.endswith('"Odd ""schema"" 50%%s"."User ""sessions"" 100%%\n\'x\'"\n')


def test_room_that_is_gone_since_the_plan_is_seen_before_a_rebuild(
    bloated: World, monkeypatch: pytest.MonkeyPatch
):
    kind = bloated.change()
    step = step_of(kind.plan(), Action.REBUILD)
    monkeypatch.setattr(Surveyor, "room", lambda *_: (step.size_bytes * 1.5, ""))
    with pytest.raises(StepFailedError, match=r"not rebuilt: the volume has .* needs twice its size"):
        kind.apply(step)


def test_what_the_time_limit_ended_is_not_begun_again():
    calls = []

    def too_long() -> None:
        calls.append(1)
        raise StepInterruptedError("canceling statement due to statement timeout")

    with pytest.raises(StepInterruptedError, match="after 1 attempts"):
        with_attempts(3, too_long, pause_seconds=0, longest_seconds=0)
    assert calls == [1]
