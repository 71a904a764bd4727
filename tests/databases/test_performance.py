"""Indexes and statements on a real PostgreSQL, each fault really made, by the monitoring role, among hostile names."""
# ruff: noqa: S608 (every name in a statement is this file's own)

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from docrag_ops.core.findings import Finding
from docrag_ops.core.results import AreaResult
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks.history import HistoryHook, RunKey
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.checks import CheckOperator
from docrag_ops.operators.sources.database import answer as ask_database
from tests.databases.conftest import HOSTILE_DATABASE, HOSTILE_SCHEMA, Session
from tests.databases.test_queries import wait_for
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import MAINTAINED, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SCHEMA = '"' + HOSTILE_SCHEMA.replace('"', '""') + '"'
BIG = f'{SCHEMA}."Big 100% ""t"""'
CHILD = f'{SCHEMA}."Child"'
MADE = f"""
CREATE TABLE {BIG} (id serial PRIMARY KEY, "User Id" integer, body text);
INSERT INTO {BIG} ("User Id", body) SELECT n % 5000, repeat('x', 20) FROM generate_series(1, 20000) AS n;
CREATE TABLE {CHILD} (id serial PRIMARY KEY, "Big Id" integer REFERENCES {BIG}, ok integer REFERENCES {BIG});
INSERT INTO {CHILD} ("Big Id", ok) SELECT n, n FROM generate_series(1, 12000) AS n;
CREATE INDEX "Ok" ON {CHILD} (ok, id);
"""
LONG = "||".join(f"md5((id + {n})::text)" for n in range(20))
"""640 bytes a row that do not compress: more than 10 MB in an index."""
Connect = Callable[..., None]


@pytest.fixture
def tables(hostile: str, connect_to: Connect, servers: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's session beside a large table without indexes, a child of it, and fresh statistics."""
    connect_to(hostile)
    with superuser(servers, MAINTAINED, HOSTILE_DATABASE) as connection:
        connection.execute(MADE.encode())
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.execute("ANALYZE")
        connection.execute("SELECT pg_stat_reset(), pg_stat_statements_reset()")
        try:
            yield connection
        finally:
            connection.execute(f"DROP TABLE {CHILD}, {BIG}".encode())


def measure(area: str, *, run_id: str = "weekly", at: datetime = NOW, **postgres: Any) -> AreaResult:
    include = IncludeFolder()
    environment = include.environment("docrag-prod")
    section = environment.postgres.model_copy(update=postgres)
    asking = Asking(
        environment=environment.model_copy(update={"postgres": section}),
        include=include,
        run=RunKey(environment="docrag-prod", entry="weekly_performance_review", run_id=run_id),
        now=at,
        task_instance=None,
    )
    return CheckOperator(task_id=f"check_{area}", area=area).measure(asking)


def bad(result: AreaResult, check: str) -> dict[str, Finding]:
    found = {one.subject: one for one in result.findings if one.check == check}
    return {name: one for name, one in found.items() if one.verdict is not Verdict.OK}


def doc_rag(session: Session, *statements: str, times: int = 1) -> None:
    """What the application sends."""
    with session() as connection:
        for _ in range(times):
            for statement in statements:
                connection.execute(statement.encode(), prepare=False)
        connection.commit()
        connection.execute("SELECT pg_stat_force_next_flush()")


def test_table_without_the_index_is_found_with_the_statement_that_makes_it(tables, session: Session):
    question = f'SELECT count(body) FROM {BIG} AS b WHERE b."User Id" = '
    doc_rag(session, question + "7", times=30)
    wait_for(lambda: "Big" in str(bad(measure("indexes"), "index_missing")))
    [(subject, finding)] = bad(measure("indexes"), "index_missing").items()
    assert subject == BIG
    assert (finding.verdict, finding.value) == (Verdict.WARNING, 0)
    [suggested] = [part for part in finding.evidence.split("; ") if part.startswith("CREATE INDEX")]
    statement = suggested.split(";")[0].split(" would serve")[0]
    assert statement == f'CREATE INDEX CONCURRENTLY ON {BIG} ("User Id")'
    tables.execute(statement.encode())
    plan = tables.execute(f"EXPLAIN {question}7".encode()).fetchall()
    assert "Index" in str(plan)


def test_foreign_key_without_an_index_is_found_and_one_with_an_index_is_not(tables):
    [(subject, finding)] = bad(measure("indexes"), "index_foreign_key_missing").items()
    assert subject.startswith(f"{CHILD} ")
    assert "Big Id_fkey" in subject
    statement = finding.evidence[finding.evidence.index("CREATE") :]
    tables.execute(statement.encode())
    assert bad(measure("indexes"), "index_foreign_key_missing") == {}


def test_index_that_nothing_uses_is_found_once_the_statistics_are_old_enough(tables):
    tables.execute(f'CREATE INDEX "Un%used" ON {BIG} (({LONG}))'.encode())
    tables.execute(f'CREATE UNIQUE INDEX "Protects" ON {BIG} (({LONG}))'.encode())
    result = measure("indexes")
    assert bad(result, "index_unused") == {}
    assert "needs 30 days of statistics, has 0" in {one.reason for one in result.not_judged}
    [(subject, finding)] = bad(measure("indexes", unused_index_days=0), "index_unused").items()
    assert subject == f'{SCHEMA}."Un%used"'
    assert finding.value > 10_000_000
    assert f'DROP INDEX CONCURRENTLY {SCHEMA}."Un%used";' in finding.evidence


def test_index_that_is_used_is_not_unused(tables, session: Session):
    tables.execute(f'CREATE INDEX "Used" ON {BIG} (({LONG}))'.encode())
    tables.execute(f"ANALYZE {BIG}".encode())
    doc_rag(session, f"SELECT id FROM {BIG} WHERE {LONG} = 'x'")
    wait_for(lambda: bad(measure("indexes", unused_index_days=0), "index_unused") == {})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('INDEX "One" ON {} ("User Id")', 'INDEX "Two" ON {} ("User Id")'),
        ('INDEX "One" ON {} ("User Id", body)', 'INDEX "Two" ON {} ("User Id")'),
        ('UNIQUE INDEX "One" ON {} ("User Id", id)', 'INDEX "Two" ON {} ("User Id", id)'),
        ('INDEX "One" ON {} (lower(body)) WHERE id > 5', 'INDEX "Two" ON {} (lower(body)) WHERE id > 5'),
    ],
    ids=["the same", "its beginning", "of a unique one", "of an expression"],
)
def test_superfluous_index_is_found(tables, first: str, second: str):
    for statement in (first, second):
        tables.execute(f"CREATE {statement.format(BIG)}".encode())
    found = bad(measure("indexes"), "index_duplicate")
    assert list(found) == [f'{SCHEMA}."Two"']
    assert f'DROP INDEX CONCURRENTLY {SCHEMA}."Two";' in found[f'{SCHEMA}."Two"'].evidence


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('INDEX "One" ON {} ("User Id", body)', 'INDEX "Two" ON {} (body)'),
        ('INDEX "One" ON {} ("User Id", id)', 'UNIQUE INDEX "Two" ON {} ("User Id", id)'),
        ('INDEX "One" ON {} ("User Id" DESC)', 'INDEX "Two" ON {} ("User Id") WHERE id > 5'),
        ('INDEX "One" ON {} (lower(body))', 'INDEX "Two" ON {} (upper(body))'),
        ('INDEX "One" ON {} (body)', 'INDEX "Two" ON {} (body text_pattern_ops)'),
        ('INDEX "One" ON {} (body)', 'INDEX "Two" ON {} USING hash (body)'),
    ],
    ids=["its end", "a unique one", "a partial one", "another expression", "another class", "another kind"],
)
def test_index_that_serves_something_else_is_not_superfluous(tables, first: str, second: str):
    for statement in (first, second):
        tables.execute(f"CREATE {statement.format(BIG)}".encode())
    assert f'{SCHEMA}."Two"' not in bad(measure("indexes"), "index_duplicate")


def test_index_whose_build_failed_is_found_with_both_ways_out(tables):
    with pytest.raises(psycopg.errors.UniqueViolation):
        tables.execute(f'CREATE UNIQUE INDEX CONCURRENTLY "Bad" ON {BIG} (body)'.encode())
    [(subject, finding)] = bad(measure("indexes"), "index_invalid").items()
    assert (subject, finding.verdict) == (f'{SCHEMA}."Bad"', Verdict.CRITICAL)
    tables.execute(f'DROP INDEX CONCURRENTLY {SCHEMA}."Bad"'.encode())
    assert bad(measure("indexes"), "index_invalid") == {}


def test_table_that_is_read_whole_leads_the_list(tables, session: Session):
    doc_rag(session, f"SELECT count(body) FROM {BIG}", times=3)

    def listed() -> Any:
        result = measure("indexes", run_id="list")
        return next(one for one in result.findings if one.check == "table_sequential_reads")

    wait_for(lambda: f"{BIG}:" in listed().evidence)


def test_sorts_on_disk_are_bytes_of_temporary_files(tables, session: Session):
    doc_rag(
        session,
        "SET work_mem = '64kB'",
        "SELECT count(*) FROM (SELECT md5(n::text) FROM generate_series(1, 200000) AS n ORDER BY 1) AS s",
    )

    def written() -> float:
        [found] = [one for one in measure("indexes").findings if one.check == "temp_files"]
        return found.value or 0.0

    wait_for(lambda: written() > 1_000_000)


# --- statements


@pytest.fixture
def no_snapshots(connect_to: Connect) -> None:
    from sqlalchemy import text

    with HistoryHook().transaction() as connection:
        connection.execute(text("TRUNCATE statements, measurements, findings"))


def snapshot(days_ago: float) -> None:
    """As daily_health_check takes it."""
    include = IncludeFolder()
    asking = Asking(
        environment=include.environment("docrag-prod"),
        include=include,
        run=RunKey(environment="docrag-prod", entry="daily_health_check", run_id=f"{days_ago} days ago"),
        now=NOW - timedelta(days=days_ago),
        task_instance=None,
    )
    check = next(one for one in include.checks("postgres") if one.name == "postgres_statements_kept")
    assert "Measured" in repr(ask_database([check], asking))


SLOW = "SELECT pg_sleep(0.021), 'it''s 100%'"


def test_slow_query_between_two_snapshots_is_found(tables, no_snapshots, session: Session):
    snapshot(6)
    doc_rag(session, SLOW, times=100)
    result = measure("queries")
    [(subject, finding)] = bad(result, "query_slow").items()
    assert subject.endswith(f"of postgres in {HOSTILE_DATABASE}")
    assert finding.value > 0.02
    assert "100 calls" in finding.evidence
    assert "pg_sleep($1)" in finding.evidence
    assert "needs snapshots of two weeks, has 6.0 days" in {one.reason for one in result.not_judged}


def test_slow_query_before_the_snapshots_is_not_of_this_week(tables, no_snapshots, session: Session):
    doc_rag(session, SLOW, times=100)
    snapshot(6)
    assert bad(measure("queries"), "query_slow") == {}


def test_query_that_got_slower_than_the_week_before_is_found(tables, no_snapshots, session: Session):
    statement = "SELECT count(*), pg_sleep({}) FROM generate_series(1, 10)"
    snapshot(14)
    doc_rag(session, statement.format("0.001"), times=100)
    snapshot(7)
    doc_rag(session, statement.format("0.03"), times=100)
    [finding] = bad(measure("queries"), "query_slower").values()
    assert "the week before (100 calls)" in finding.evidence


def test_reset_between_two_snapshots_is_said_and_what_came_after_is_counted(
    tables, no_snapshots, session: Session
):
    doc_rag(session, SLOW, times=120)
    snapshot(6)
    tables.execute("SELECT pg_stat_statements_reset()")
    doc_rag(session, SLOW, times=100)
    result = measure("queries")
    [reset] = bad(result, "query_statistics_reset").values()
    assert (reset.value, reset.verdict) == (1, Verdict.WARNING)
    assert "stats_reset went from" in reset.evidence
    [slow] = bad(result, "query_slow").values()
    assert "100 calls" in slow.evidence


def test_first_run_is_not_judged_and_leaves_a_snapshot(tables, no_snapshots):
    result = measure("queries", run_id="first")
    assert result.findings == ()
    assert {one.reason for one in result.not_judged} == {
        "first run: needs a snapshot that daily_health_check stored before"
    }
    second = measure("queries", run_id="second", at=NOW + timedelta(hours=1))
    assert {str(one.verdict) for one in second.findings} == {"ok"}


def test_nobodys_counters_are_reset(tables, no_snapshots):
    query = "SELECT stats_reset FROM pg_stat_statements_info"
    before = tables.execute(query).fetchone()
    snapshot(6)
    measure("queries")
    measure("indexes")
    assert tables.execute(query).fetchone() == before


def test_missing_extension_is_unknown_with_the_remedy(servers: Settings, connect_to: Connect, no_snapshots):
    with superuser(servers, MAINTAINED) as connection:
        connection.execute("CREATE DATABASE without_statements")
    connect_to("without_statements")
    result = measure("queries")
    assert {one.verdict for one in result.findings} == {Verdict.UNKNOWN}
    assert {one.check for one in result.findings} == {one.name for one in IncludeFolder().checks("queries")}
    assert "CREATE EXTENSION pg_stat_statements" in result.findings[0].evidence


def test_extension_in_a_schema_of_its_own_and_of_an_older_version_is_read(
    servers: Settings, connect_to: Connect, no_snapshots, session: Session
):
    with superuser(servers, MAINTAINED) as connection:
        connection.execute("CREATE DATABASE moved")
    with superuser(servers, MAINTAINED, "moved") as connection:
        connection.execute('CREATE SCHEMA "Mon ""itor"""')
        connection.execute('GRANT USAGE ON SCHEMA "Mon ""itor""" TO docrag_monitor')
        connection.execute('CREATE EXTENSION pg_stat_statements SCHEMA "Mon ""itor""" VERSION \'1.8\'')
    connect_to("moved")
    snapshot(1)
    result = measure("queries")
    assert [one for one in result.findings if one.verdict is not Verdict.OK] == []
    assert "query_load" in {one.check for one in result.findings}
    reasons = {one.check: one.reason for one in result.not_judged}
    assert "before 1.9" in reasons["query_evictions"]


def test_role_that_sees_its_own_statements_only_is_unknown(
    connect_to: Connect, servers: Settings, no_snapshots
):
    connect_to("docrag", login="docrag", password=passwords(servers)["docrag"])
    for area in ("queries", "indexes"):
        result = measure(area)
        assert {one.verdict for one in result.findings} == {Verdict.UNKNOWN}
        assert "GRANT pg_monitor TO docrag" in result.findings[0].evidence
