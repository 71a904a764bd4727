"""The tuning of a real PostgreSQL: set, read back, taken back, left alone, handed over, killed and finished."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from docrag_ops.core.changes import StepOutcome
from docrag_ops.hooks.database_settings import DatabaseSettings
from docrag_ops.hooks.include import IncludeFolder
from tests.databases.tuning import Killed, TuningRuns, left_alone, refusal
from tests.sandbox import connections
from tests.sandbox.postgres_servers import MAINTAINED, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
GIB = 2**30
LOOK_UP = "-- One row is a look-up by key.\nSELECT body FROM tuned WHERE id = 4711\n"
CATALOGUE = """
allowed: [{allowed}]
shares: {{shared_buffers: 0.25, sorts_per_connection: 3, work_mem_tolerance: 1.5}}
profiles: {{guide: {{{advice}}}}}
"""


@pytest.fixture
def server(servers: Settings) -> Iterator[Callable[..., Any]]:
    """A superuser's statements; all that was set is forgotten at the end."""

    def run(statement: str, *parameters: str) -> Any:
        with superuser(servers, MAINTAINED, "docrag") as connection:
            done = connection.execute(statement, parameters or None)
            return done.fetchone()[0] if done.description else None

    yield run
    run("ALTER SYSTEM RESET ALL")
    run("SELECT pg_reload_conf()")


@pytest.fixture
def runs(
    servers: Settings,
    server: Callable[[str], Any],
    connect_to: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> TuningRuns:
    change = connections.connections(servers)["docrag_postgres_change"]
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_POSTGRES_CHANGE", json.dumps(change))
    return TuningRuns("postgres_settings", request.node.name, monkeypatch, memory_limit_bytes=2 * GIB)


def profile(runs: TuningRuns, *, allowed: str = "", **advice: str) -> None:
    """Have the profile `guide` say so."""
    told = ", ".join(f"{name}: {{value: '{value}', why: the test}}" for name, value in advice.items())
    runs.use(CATALOGUE.format(allowed=allowed or ", ".join(advice), advice=told))
    runs.profile = "guide"


def auto_conf(server: Callable[[str], Any], name: str) -> str | None:
    """What postgresql.auto.conf says."""
    answer: str | None = server(
        "SELECT max(setting) FROM pg_file_settings WHERE name = %s AND sourcefile LIKE '%%/postgresql.auto.conf'",
        name,
    )
    return answer


def shown(name: str) -> str:
    """A setting as a new session gets it, in the server's unit."""
    return DatabaseSettings(IncludeFolder()).settings([name])[name].value


def test_what_the_memory_limit_asks_for_is_set_and_read_back(runs, server):
    record = runs.plan()
    assert "effective_cache_size from 4GB to 1331MB" in [step.subject for step in record.plan.steps]
    assert "the environment does not say" in left_alone(record)["random_page_cost"]
    runs.apply()
    record = runs.prove()
    assert {step.outcome for step in record.steps} == {StepOutcome.DONE}
    assert shown("effective_cache_size") == str(1331 * 128)
    assert record.after["settings_in_effect"] == len(record.steps)


def test_setting_that_needs_a_restart_is_handed_over_with_its_statement_and_not_done(runs, server):
    record = runs.plan()
    how = dict(record.plan.handed_over)["shared_buffers"]
    assert "ALTER SYSTEM SET shared_buffers = '512MB'" in how
    runs.apply()
    assert auto_conf(server, "shared_buffers") is None
    assert {
        "check": "postgres_settings_handed_over",
        "subject": "shared_buffers",
        "reason": how,
    } in runs.pushed[0]["not_judged"]


def test_what_already_waits_for_a_restart_is_said(runs, server):
    server("ALTER SYSTEM SET shared_buffers = '512MB'")
    server("SELECT pg_reload_conf()")
    assert "waits for a restart" in dict(runs.plan().plan.handed_over)["shared_buffers"]


def test_counters_of_a_young_server_propose_nothing(runs):
    assert "needs 24 h" in left_alone(runs.plan())["max_wal_size"]


def test_memory_limit_that_nobody_knows_proposes_nothing_from_memory(runs):
    runs.policy.pop("memory_limit_bytes")
    record = runs.plan()
    assert any("memory limit is not known" in rule for rule in left_alone(record).values())
    assert not [step for step in record.plan.steps if "mem" in step.subject or "cache" in step.subject]


def test_guide_is_refused_where_it_takes_more_memory_than_there_is_or_fills_the_log(runs):
    runs.policy["memory_limit_bytes"] = GIB
    runs.profile = "guide"
    record = runs.plan()
    rules = left_alone(record)
    assert "100 connections" in rules["work_mem"]
    assert "effective_cache_size" in rules
    assert "refused" in rules["log_connections"]
    assert "checkpoint_timeout from 5min to 15min" in [step.subject for step in record.plan.steps]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("work_mem", "1kB", "less than the server's least, 64kB"),
        ("random_page_cost", "-1", "less than the server's least, 0"),
        ("checkpoint_timeout", "15MB", "does not fit"),
        ("log_lock_waits", "perhaps", "neither on nor off"),
        ("work_mem", "much", "no number"),
        ("work_mem_", "4MB", "no such setting"),
    ],
)
def test_value_that_the_server_would_not_take_is_refused(runs, name, value, reason):
    profile(runs, **{name: value})
    record = runs.plan()
    assert record.plan.steps == ()
    assert reason in left_alone(record)[name]


def test_setting_that_is_not_on_the_list_is_refused(runs):
    profile(runs, allowed="work_mem", archive_command="rm -rf /")
    assert "none of the settings" in left_alone(runs.plan())["archive_command"]


def test_role_without_the_right_is_a_failed_step_and_changes_nothing(runs, server):
    profile(runs, vacuum_cost_limit="500")
    runs.plan()
    assert "permission denied to set parameter" in refusal(runs.apply)
    assert shown("vacuum_cost_limit") == "200"


def test_role_that_may_not_see_the_files_is_told_what_it_needs(runs, server):
    server("REVOKE SELECT ON pg_file_settings FROM docrag_maintenance")
    try:
        assert "GRANT SELECT ON pg_file_settings" in refusal(runs.plan)
    finally:
        server("GRANT SELECT ON pg_file_settings TO docrag_maintenance")


def test_plan_of_more_settings_than_the_limit_is_refused(runs):
    runs.limits = {"settings": 0}
    assert "beyond the limit" in refusal(runs.plan)


def test_setting_that_somebody_changed_meanwhile_is_left_alone_and_said(runs, server):
    profile(runs, work_mem="3MB", log_temp_files="10MB")
    runs.plan()
    server("ALTER SYSTEM SET work_mem = '5MB'")
    server("SELECT pg_reload_conf()")
    settled = DatabaseSettings(IncludeFolder())
    settled._read_back("work_mem", "5MB")
    record = runs.apply()
    outcomes = {step.subject.split()[0]: step for step in record.steps}
    assert outcomes["work_mem"].outcome is StepOutcome.SKIPPED
    assert "value was 4096, is 5120" in outcomes["work_mem"].what
    assert outcomes["log_temp_files"].outcome is StepOutcome.DONE
    assert auto_conf(server, "work_mem") == "5MB"


def test_what_somebody_wrote_and_did_not_load_is_said_and_not_touched(runs, server):
    profile(runs, work_mem="3MB", log_temp_files="10MB")
    server("ALTER SYSTEM SET work_mem = '5MB'")
    record = runs.plan()
    assert "it is not in effect" in left_alone(record)["work_mem"]
    assert [name for name in left_alone(record) if name.startswith("work_mem = 5MB")]
    assert [step.details["setting"] for step in record.plan.steps] == ["log_temp_files"]


def test_role_with_a_value_of_its_own_is_named(runs, server):
    profile(runs, work_mem="3MB")
    server("ALTER ROLE docrag SET work_mem = '8MB'")
    try:
        assert "docrag keep a value of their own" in runs.plan().plan.steps[0].details["why"]
    finally:
        server("ALTER ROLE docrag RESET work_mem")


def test_setting_that_the_database_has_of_its_own_is_left_alone(runs, server):
    profile(runs, work_mem="3MB")
    server("ALTER DATABASE docrag SET work_mem = '8MB'")
    try:
        record = runs.plan()
    finally:
        server("ALTER DATABASE docrag RESET work_mem")
    assert "has a value of its own" in left_alone(record)["work_mem"]
    assert record.plan.steps == ()


def test_plan_says_what_was_measured(runs):
    summary = runs.plan().plan.summary
    assert "memory limit 2.0 GiB (policy.memory_limit_bytes of the environment)" in summary
    assert "of 100 connections" in summary


def slow_down_look_ups(runs: TuningRuns, server: Callable[[str], Any]) -> None:
    """A table whose index nobody uses any more once a random read costs so much."""
    server("DROP TABLE IF EXISTS tuned")
    server("CREATE TABLE tuned AS SELECT id, repeat('x', 100) AS body FROM generate_series(1, 300000) AS id")
    server("ALTER TABLE tuned ADD PRIMARY KEY (id)")
    server("GRANT SELECT ON tuned TO docrag_monitor")
    server("VACUUM ANALYZE tuned")
    profile(runs, random_page_cost="1000000")
    catalogue = IncludeFolder().text("tuning/postgres.yaml")
    assert "1000000" in catalogue
    runs.use(LOOK_UP, "tuning/test_look_up.sql".replace("tuning", "sql/tuning"))
    runs.policy["probe"] = {
        "query": "tuning/test_look_up.sql",
        "repeats": 7,
        "worse_times": 3,
        "worse_seconds": 0.001,
    }


@pytest.mark.parametrize("former", [None, "3"])
def test_setting_that_slows_the_known_question_is_taken_back(runs, server, former):
    if former:
        server(f"ALTER SYSTEM SET random_page_cost = {former}")
        server("SELECT pg_reload_conf()")
    slow_down_look_ups(runs, server)
    DatabaseSettings(IncludeFolder())._read_back("random_page_cost", former or "4")
    runs.plan()
    runs.apply()
    assert shown("random_page_cost") == "1e+06"
    said = refusal(runs.prove)
    assert "the known question takes" in said
    assert f"Undone: random_page_cost is {former or '4'} again." in said
    assert auto_conf(server, "random_page_cost") == former
    server("DROP TABLE tuned")


def test_what_somebody_else_set_since_is_not_taken_back(runs, server):
    slow_down_look_ups(runs, server)
    runs.plan()
    runs.apply()
    server("ALTER SYSTEM SET random_page_cost = 2000000")
    server("SELECT pg_reload_conf()")
    DatabaseSettings(IncludeFolder())._read_back("random_page_cost", "2000000")
    assert "Left alone, as they are not as this run set them: random_page_cost" in refusal(runs.prove)
    assert auto_conf(server, "random_page_cost") == "2000000"
    server("DROP TABLE tuned")


def test_server_that_takes_no_connection_afterwards_is_taken_back(runs, server, monkeypatch):
    profile(runs, work_mem="3MB")
    runs.plan()
    runs.apply()
    server("ALTER ROLE docrag_monitor CONNECTION LIMIT 0")
    try:
        said = refusal(runs.prove)
    finally:
        server("ALTER ROLE docrag_monitor CONNECTION LIMIT -1")
    assert "connections refused: 3 of 3" in said
    assert "work_mem is 4MB again" in said


@pytest.mark.parametrize("moment", ["written, not loaded", "loaded, not noted down"])
def test_killed_half_way_is_finished_when_cleared_and_nothing_is_done_twice(
    runs, server, monkeypatch, moment
):
    profile(runs, work_mem="3MB", log_temp_files="10MB")
    runs.plan()
    real, done = DatabaseSettings.set, []

    def killed(database, name, value):
        done.append(name)
        if moment.startswith("written"):
            server(f"ALTER SYSTEM SET {name} = '{value}'")
        else:
            real(database, name, value)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(DatabaseSettings, "set", killed)
        with pytest.raises(Killed):
            runs.apply()
    assert (shown("work_mem") == "3072") is moment.startswith("loaded")
    record = runs.apply()
    assert {step.outcome for step in record.steps} == {StepOutcome.DONE}
    assert (shown("work_mem"), shown("log_temp_files")) == ("3072", "10240")
    assert runs.prove().not_better == ""


def test_two_connections_to_different_servers_are_noticed(runs, servers, monkeypatch):
    other = connections.connections(servers)["docrag_history"]
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_POSTGRES_CHANGE", json.dumps(other))
    assert "expected the same server" in refusal(runs.plan)
