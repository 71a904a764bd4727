"""Faults of the PostgreSQL under maintenance, and of the history's database."""

import os
from pathlib import Path

import psycopg
from psycopg import errors

from tests.sandbox import databases, postgres_servers
from tests.sandbox.faults import holders
from tests.sandbox.faults.fault import Fault, State, wait_for
from tests.sandbox.faults.web import forget_bad_answers
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import AIRFLOW_DB, MAINTAINED
from tests.sandbox.settings import Settings

ERRORS = (psycopg.Error,)
NEAR_THE_END = int((2**63 - 1) * 0.95)
INVALID_INDEX = "documents_source_ccnew"
COPY_LOST_ROWS = "COPY (SELECT * FROM vectors WHERE id % 5 < 3) TO STDOUT"
DELETE_LOST_ROWS = "DELETE FROM vectors WHERE id % 5 < 3"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
WAITING_LONG = (
    WAITING + " AND waitstart < clock_timestamp() - interval '2 seconds'"
)  # a check ignores up to one
FORGOTTEN = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"


def down(settings: Settings, state: State) -> None:
    postgres_servers.stop(settings, MAINTAINED)


def not_down(settings: Settings, state: State) -> None:
    databases.start_maintained(settings)
    forget_bad_answers(settings, state["since"])


def connections_exhausted(settings: Settings, state: State) -> None:
    holders.start(settings, "postgres_connections_exhausted")
    wait_for("the application is refused: too many clients", lambda: _is_refused(settings))


def not_connections_exhausted(settings: Settings, state: State) -> None:
    holders.stop(settings, "postgres_connections_exhausted")
    wait_for("the application's sessions are gone", lambda: not _is_refused(settings))
    forget_bad_answers(settings, state["since"])


def blocked_sessions(settings: Settings, state: State) -> None:
    holders.start(settings, "postgres_blocked_sessions")
    wait_for("sessions wait for a lock", lambda: _number(settings, WAITING_LONG) >= holders.BLOCKED_SESSIONS)


def not_blocked_sessions(settings: Settings, state: State) -> None:
    holders.stop(settings, "postgres_blocked_sessions")
    wait_for("no session waits for a lock", lambda: _number(settings, WAITING) == 0)


def idle_in_transaction(settings: Settings, state: State) -> None:
    holders.start(settings, "postgres_idle_in_transaction")
    wait_for("transactions idle", lambda: _number(settings, FORGOTTEN) >= holders.IDLE_TRANSACTIONS)


def not_idle_in_transaction(settings: Settings, state: State) -> None:
    holders.stop(settings, "postgres_idle_in_transaction")
    wait_for("no transaction idles", lambda: _number(settings, FORGOTTEN) == 0)


def read_only(settings: Settings, state: State) -> None:
    _run(settings, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    wait_for("new sessions are read-only", lambda: _is_read_only(settings))


def not_read_only(settings: Settings, state: State) -> None:
    _run(settings, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
    wait_for("new sessions can write", lambda: not _is_read_only(settings))


def sequence_now(settings: Settings) -> State:
    with postgres_servers.superuser(settings, MAINTAINED, "docrag") as session:
        row = session.execute("SELECT last_value, is_called FROM documents_id_seq").fetchone()
    return dict(zip(("last_value", "is_called"), row or (1, False), strict=True))


def sequence_end(settings: Settings, state: State) -> None:
    _run(settings, f"SELECT setval('documents_id_seq', {NEAR_THE_END})")


def not_sequence_end(settings: Settings, state: State) -> None:
    called = "true" if state["is_called"] else "false"
    _run(settings, f"SELECT setval('documents_id_seq', {int(state['last_value'])}, {called})")


def invalid_index(settings: Settings, state: State) -> None:
    """As an interrupted REINDEX CONCURRENTLY leaves it: here the values are not unique."""
    try:
        _run(settings, f"CREATE UNIQUE INDEX CONCURRENTLY {INVALID_INDEX} ON documents (source)")
    except errors.UniqueViolation:
        return


def not_invalid_index(settings: Settings, state: State) -> None:
    _run(settings, f"DROP INDEX CONCURRENTLY IF EXISTS {INVALID_INDEX}")


def keep_rows(settings: Settings) -> State:
    """Copy what is about to be lost into a file."""
    path = settings.data_dir / "rows-lost.copy"
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with (
        os.fdopen(descriptor, "wb") as out,
        postgres_servers.superuser(settings, MAINTAINED, "docrag") as session,
        session.cursor().copy(COPY_LOST_ROWS) as rows,
    ):
        for block in rows:
            out.write(block)
    partial.rename(path)
    return {"file": str(path)}


def rows_lost(settings: Settings, state: State) -> None:
    _run(settings, DELETE_LOST_ROWS, "VACUUM (ANALYZE) vectors")


def not_rows_lost(settings: Settings, state: State) -> None:
    with postgres_servers.superuser(settings, MAINTAINED, "docrag") as session:
        session.execute("CREATE TEMP TABLE kept (LIKE vectors)")
        with Path(state["file"]).open("rb") as file, session.cursor().copy("COPY kept FROM STDIN") as rows:
            while block := file.read(1 << 20):
                rows.write(block)
        session.execute("INSERT INTO vectors SELECT * FROM kept ON CONFLICT DO NOTHING")
        session.execute("VACUUM (ANALYZE) vectors")
    Path(state["file"]).unlink()


def statements_missing(settings: Settings, state: State) -> None:
    _run(settings, "DROP EXTENSION IF EXISTS pg_stat_statements")


def not_statements_missing(settings: Settings, state: State) -> None:
    _run(settings, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


def history_down(settings: Settings, state: State) -> None:
    """The history refuses everybody; Airflow's own database beside it is not touched."""
    with postgres_servers.superuser(settings, AIRFLOW_DB) as session:
        session.execute("ALTER DATABASE docrag_history ALLOW_CONNECTIONS false")
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'docrag_history'"
        )


def not_history_down(settings: Settings, state: State) -> None:
    with postgres_servers.superuser(settings, AIRFLOW_DB) as session:
        session.execute("ALTER DATABASE docrag_history ALLOW_CONNECTIONS true")


def _run(settings: Settings, *statements: str) -> None:
    with postgres_servers.superuser(settings, MAINTAINED, "docrag") as session:
        session.execute("SET statement_timeout = '60s'")
        for statement in statements:
            session.execute(statement)


def _number(settings: Settings, query: str) -> int:
    with postgres_servers.superuser(settings, MAINTAINED, "docrag") as session:
        row = session.execute(query).fetchone()
    return int(row[0]) if row else 0


def _application_session(settings: Settings) -> psycopg.Connection[tuple[object, ...]]:
    password = passwords(settings)["docrag"]
    return psycopg.connect(**postgres_servers.address(settings, MAINTAINED, "docrag", password, "docrag"))


def _is_refused(settings: Settings) -> bool:
    try:
        _application_session(settings).close()
    except psycopg.OperationalError:
        return True
    return False


def _is_read_only(settings: Settings) -> bool:
    with _application_session(settings) as session:
        row = session.execute("SHOW transaction_read_only").fetchone()
    return row == ("on",)


FAULTS = (
    Fault("postgres_down", "the server is stopped", down, not_down, dies_with_down=True),
    Fault(
        "postgres_connections_exhausted",
        "idle sessions of the application hold every connection",
        connections_exhausted,
        not_connections_exhausted,
    ),
    Fault(
        "postgres_blocked_sessions",
        f"{holders.BLOCKED_SESSIONS} sessions wait for a row that a transaction has locked",
        blocked_sessions,
        not_blocked_sessions,
    ),
    Fault(
        "postgres_idle_in_transaction",
        f"{holders.IDLE_TRANSACTIONS} transactions are open and do nothing",
        idle_in_transaction,
        not_idle_in_transaction,
    ),
    Fault("postgres_read_only", "every transaction is read-only by default", read_only, not_read_only),
    Fault(
        "postgres_sequence_end",
        "documents_id_seq is at 95 % of bigint",
        sequence_end,
        not_sequence_end,
        sequence_now,
    ),
    Fault("postgres_invalid_index", f"{INVALID_INDEX} is invalid", invalid_index, not_invalid_index),
    Fault("postgres_rows_lost", "60 % of the rows of vectors are gone", rows_lost, not_rows_lost, keep_rows),
    Fault(
        "postgres_statements_missing",
        "the extension pg_stat_statements is dropped",
        statements_missing,
        not_statements_missing,
    ),
    Fault("history_down", "the database docrag_history refuses connections", history_down, not_history_down),
)
