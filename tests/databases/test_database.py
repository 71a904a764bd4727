"""Bad days of PostgreSQL, on a real one."""

from collections.abc import Callable
from typing import Any

import pytest

from docrag_ops.core.errors import UnreachableError
from docrag_ops.core.results import AreaResult
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks import database
from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators.checks import CheckOperator
from tests.asking import asking_for
from tests.databases.conftest import failure_of
from tests.sandbox.postgres_servers import MAINTAINED, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
Connect = Callable[..., None]
PROBE = "postgres/write_probe.sql"


def run_area() -> AreaResult:
    return CheckOperator(task_id="check_postgres", area="postgres").measure(asking_for("postgres"))


def verdicts(result: AreaResult) -> dict[str, Verdict]:
    return {finding.check: finding.verdict for finding in result.findings}


def test_healthy_server_trips_nothing(connect_to: Connect):
    assert [finding for finding in run_area().findings if finding.verdict is not Verdict.OK] == []


def test_server_out_of_connections_is_critical_and_the_rest_unknown(connect_to: Connect, servers: Settings):
    with superuser(servers, MAINTAINED) as connection:
        connection.execute("ALTER ROLE docrag_monitor CONNECTION LIMIT 0")
        try:
            found = verdicts(run_area())
        finally:
            connection.execute("ALTER ROLE docrag_monitor CONNECTION LIMIT -1")
    assert found.pop("postgres_connect") is Verdict.CRITICAL
    assert len(found) > 10
    assert set(found.values()) == {Verdict.UNKNOWN}


def test_server_that_refuses_is_critical_and_the_rest_unknown(connect_to: Connect):
    connect_to("docrag", port=1)
    found = verdicts(run_area())
    assert found.pop("postgres_connect") is Verdict.CRITICAL
    assert set(found.values()) == {Verdict.UNKNOWN}


def test_read_only_server_refuses_the_write_alone(connect_to: Connect, servers: Settings):
    with superuser(servers, MAINTAINED) as connection:
        connection.execute("ALTER DATABASE docrag SET default_transaction_read_only = on")
        try:
            result = run_area()
        finally:
            connection.execute("ALTER DATABASE docrag RESET default_transaction_read_only")
    bad = [finding for finding in result.findings if finding.verdict is not Verdict.OK]
    assert [finding.check for finding in bad] == ["postgres_write"]
    assert "read-only transaction" in bad[0].evidence


def test_role_without_the_right_to_write_says_nothing_about_the_server(
    connect_to: Connect, servers: Settings
):
    with superuser(servers, MAINTAINED) as connection:
        connection.execute("REVOKE TEMPORARY ON DATABASE docrag FROM PUBLIC")
        try:
            assert verdicts(run_area())["postgres_write"] is Verdict.UNKNOWN
        finally:
            connection.execute("GRANT TEMPORARY ON DATABASE docrag TO PUBLIC")


def test_written_row_leaves_nothing_behind(connect_to: Connect):
    probe = IncludeFolder().query("sql", PROBE)
    query = "SELECT count(*) AS left FROM pg_class WHERE relname = 'docrag_ops_write_probe'"
    with DatabaseHook().session() as session:
        assert session.try_write(probe, name=PROBE) == ""
        assert session.rows(query, {}, name="left") == [{"left": 0}]


def test_query_that_fails_leaves_the_session_whole(connect_to: Connect):
    with DatabaseHook().session() as session:
        text = failure_of(lambda: session.rows("SELECT 1/0", {}, name="postgres/broken.sql"))
        assert session.rows("SELECT 1 AS one", {}, name="one") == [{"one": 1}]
    assert text.endswith("include/sql/postgres/broken.sql: division by zero")


def test_query_that_hangs_ends_at_its_time_limit(connect_to: Connect, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "_OPTIONS", "-c statement_timeout=100ms")
    with DatabaseHook().session() as session:
        text = failure_of(lambda: session.rows("SELECT pg_sleep(20)", {}, name="postgres/slow.sql"))
    assert "canceling statement due to statement timeout" in text


def test_session_that_is_ended_fails_its_questions_and_nothing_else(connect_to: Connect, servers: Settings):
    with DatabaseHook().session() as session, superuser(servers, MAINTAINED) as connection:
        pid = session.rows("SELECT pg_backend_pid() AS pid", {}, name="pid")[0]["pid"]
        connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        for _ in range(2):
            assert "postgres/next.sql" in failure_of(
                lambda: session.rows("SELECT 1", {}, name="postgres/next.sql")
            )


def test_unknown_database_is_named(connect_to: Connect, servers: Settings):
    connect_to("no such database")
    with pytest.raises(UnreachableError, match=rf"127.0.0.1:{servers.postgres_port} \(docrag_postgres\)"):
        _open()


def _open() -> Any:
    with DatabaseHook().session() as session:
        return session
