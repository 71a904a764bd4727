"""Every query of include/sql/postgres on a real server, by the monitoring role, among hostile names."""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from docrag_ops.hooks.include import INCLUDE
from docrag_ops.operators.sources.sql import measurement_of
from tests.databases.conftest import (
    HOSTILE_APPLICATION,
    HOSTILE_DATABASE,
    HOSTILE_SCHEMA,
    HOSTILE_TABLE,
    Ask,
    Session,
)
from tests.sandbox.postgres_servers import MAINTAINED, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
NOT_MEASURED = {"write_probe", "statements", "monitor_rights"}
QUERIES = sorted({path.stem for path in (INCLUDE / "sql/postgres").glob("*.sql")} - NOT_MEASURED)
QUALIFIED = '"{}"."{}"'.format(HOSTILE_SCHEMA.replace('"', '""'), HOSTILE_TABLE)
TABLE = f'"{HOSTILE_SCHEMA.replace(chr(34), chr(34) * 2)}"."{HOSTILE_TABLE}"'


def values(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["subject"]: row["value"] for row in rows}


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("name", QUERIES)
def test_query_answers_measurements_in_a_hostile_database(ask: Ask, session: Session, name: str):
    with session() as busy:
        busy.execute('SELECT 1 AS "a ""%""\n"')
        for row in ask(name):
            measurement = measurement_of(row, name=name)
            assert measurement.subject
            assert measurement.value is not None or measurement.numerator is not None or measurement.problem


def test_table_is_named_as_sql_would_name_it(ask: Ask):
    assert values(ask("table_rows"))[QUALIFIED] == 2000


def test_table_keeps_its_rows_when_the_statistics_begin_anew(ask: Ask, servers: Settings):
    """As after a crash or a fail-over."""
    with superuser(servers, MAINTAINED, HOSTILE_DATABASE) as connection:
        connection.execute("SELECT pg_stat_reset()")
    wait_for(lambda: values(ask("table_rows")).get(QUALIFIED) == 2000)


def test_database_is_named_as_it_is(ask: Ask):
    assert {row["subject"] for row in ask("wraparound")} >= {HOSTILE_DATABASE, "template0", "docrag"}


def test_truncated_table_stays_in_sight(ask: Ask, servers: Settings):
    with superuser(servers, MAINTAINED, HOSTILE_DATABASE) as connection:
        connection.execute("CREATE TABLE public.lost AS SELECT generate_series(1, 1500) AS id")
        connection.execute("TRUNCATE public.lost")
        connection.execute("SELECT pg_stat_force_next_flush()")
    wait_for(lambda: values(ask("table_rows")).get("public.lost") == 0)


def test_int4_sequence_is_held_against_its_column(ask: Ask):
    found = {row["subject"]: row for row in ask("sequences")}
    near = next(row for subject, row in found.items() if "_id_seq" in subject)
    assert near["value"] == pytest.approx(2_100_000_000 / 2_147_483_647, rel=1e-6)
    assert near["largest"] == 2_147_483_647


def test_sequence_over_the_whole_of_bigint_does_not_overflow(ask: Ask):
    assert values(ask("sequences"))["public.wide"] == pytest.approx(0.5)


def test_falling_cycling_and_unused_sequences_have_their_own_ratio(ask: Ask):
    found = values(ask("sequences"))
    assert found["public.falling"] == pytest.approx(95 / 99)
    assert (found["public.cycling"], found["public.unused"]) == (0, 0)


def test_sequence_that_may_not_be_read_is_a_problem(ask: Ask):
    row = next(row for row in ask("sequences") if row["subject"] == "private.hidden")
    assert row["value"] is None
    assert "GRANT SELECT ON SEQUENCE private.hidden TO docrag_monitor" in row["problem"]


def test_open_connections_are_counted(ask: Ask, session: Session):
    """Sessions of earlier tests may take a moment to end: then it is counted once more."""

    def two_more() -> bool:
        before = ask("connections_used")[0]
        with session(), session():
            after = ask("connections_used")[0]
        return (after["used"], after["available"]) == (before["used"] + 2, 97)

    wait_for(two_more)


def test_session_idle_in_a_transaction_is_found_with_its_application(ask: Ask, session: Session):
    with session() as idle:
        idle.execute("SELECT 'it''s 100%\n'")
        row = next(row for row in ask("idle_in_transaction") if row["application"] == HOSTILE_APPLICATION)
    assert row["last_query"] == "SELECT 'it''s 100%\n'"
    assert 0 <= row["value"] < 60


def test_long_transactions_leave_out_the_expected_and_their_own(ask: Ask, session: Session):
    with session(application="pg_dump") as expected, session() as other:
        expected.execute("SELECT 1")
        other.execute("SELECT 1")
        assert [row["application"] for row in ask("long_transactions")] == [HOSTILE_APPLICATION]


def test_blocked_session_is_counted_with_who_blocks_it(ask: Ask, session: Session):
    with session() as holder, session() as waiter:
        holder.execute(f"LOCK TABLE {TABLE}".encode())
        thread = threading.Thread(target=_wait_for_lock, args=(waiter,))
        thread.start()
        try:
            wait_for(lambda: ask("blocked_sessions")[0]["value"] == 1)
            blockers = ask("blocked_sessions")[0]["blockers"]
        finally:
            holder.rollback()
            thread.join()
    assert "idle in transaction" in blockers
    assert HOSTILE_TABLE in blockers


def _wait_for_lock(connection: psycopg.Connection[Any]) -> None:
    connection.execute(f"LOCK TABLE {TABLE} IN SHARE MODE".encode())
    connection.rollback()


def test_index_whose_build_failed_is_invalid(ask: Ask, servers: Settings):
    with superuser(servers, MAINTAINED, HOSTILE_DATABASE) as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(f'CREATE UNIQUE INDEX CONCURRENTLY "Bad ""ix""" ON {TABLE} (body)'.encode())
        row = ask("invalid_indexes")[0]
        connection.execute(
            f'DROP INDEX "{HOSTILE_SCHEMA.replace(chr(34), chr(34) * 2)}"."Bad ""ix"""'.encode()
        )
    assert row["value"] == 1
    assert 'Bad ""ix""' in row["invalid"]


def test_life_of_a_counter_is_told_in_utc_whatever_the_server_speaks(ask: Ask, servers: Settings):
    with superuser(servers, MAINTAINED, HOSTILE_DATABASE) as connection:
        connection.execute("SELECT pg_stat_reset()")
        name = connection.execute("SELECT quote_ident(current_database())").fetchone()[0]
        connection.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Kolkata'".encode())
    epochs = {row["epoch"] for query in ("deadlocks", "rollbacks", "cache_hit") for row in ask(query)}
    assert len(epochs) == 1
    assert epochs.pop().endswith("+00")


def test_passwords_in_statements_are_blotted_out(ask: Ask, session: Session):
    with session() as connection:
        connection.execute("CREATE ROLE temporary_one PASSWORD 'very ''secret'' thing' LOGIN")
    kept = [row["query"] for row in ask("statements") if "temporary_one" in row["query"]]
    assert kept == ["CREATE ROLE temporary_one PASSWORD *** LOGIN"]


def test_role_outside_pg_monitor_is_seen_not_to_see(
    ask: Ask, connect_to: Callable[..., None], servers: Settings
):
    assert ask("monitor_rights") == [{"role": "docrag_monitor", "granted": True}]
    from tests.sandbox.passwords import passwords

    connect_to("docrag", login="docrag", password=passwords(servers)["docrag"])
    assert ask("monitor_rights") == [{"role": "docrag", "granted": False}]


def test_text_of_a_database_without_an_encoding_is_text(
    ask: Ask, connect_to: Callable[..., None], servers: Settings
):
    with superuser(servers, MAINTAINED) as connection:
        connection.execute("CREATE DATABASE plain ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    connect_to("plain")
    assert [row["subject"] for row in ask("database_size")] == ["plain"]
