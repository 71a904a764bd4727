"""`measure: {statements: NAME}`: pg_stat_statements between the stored snapshots and one taken now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Outcome
from docrag_ops.core.performance import queries
from docrag_ops.core.performance.queries import Weeks
from docrag_ops.core.performance.snapshots import snapshot_of
from docrag_ops.hooks.database import DatabaseHook, DatabaseSession
from docrag_ops.hooks.history import HistoryHook
from docrag_ops.hooks.statement_snapshots import StatementSnapshots
from docrag_ops.operators.asking import Answers, Asking, answer_each
from docrag_ops.operators.sources.sql import require_rights

NAMES = "performance/names.sql"
VERSION = "performance/statements_version.sql"
COLUMNS_BY_VERSION = (
    ((1, 9), "postgres/statements.sql"),
    ((1, 8), "performance/statements_before_1_9.sql"),
    ((0, 0), "performance/statements_before_1_8.sql"),
)


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Take a snapshot, keep it, and answer each question from it and the stored ones."""
    questions: dict[str, Callable[[Weeks], Outcome]] = {
        "age": queries.age,
        "load": queries.load,
        "slow": queries.slow,
        "slower": queries.slower,
        "resets": queries.resets,
        "evictions": queries.evictions,
    }
    weeks = cache(lambda: _weeks(asking))

    def ask(check: Check) -> Outcome:
        found = weeks()
        return questions[check.asked](found) if isinstance(found, Weeks) else found

    return answer_each(checks, ask)


def _weeks(asking: Asking) -> Weeks | Outcome:
    stored = StatementSnapshots().stored(asking.run, now=asking.now)
    with DatabaseHook().session() as session:
        require_rights(session, asking)
        rows = statement_rows(session, asking)
        named = session.rows(asking.include.query("sql", NAMES), {}, name=NAMES)
    HistoryHook().record_statements(asking.run, rows, at=asking.now)
    live = snapshot_of(rows, taken_at=asking.now)
    return queries.weeks_of(stored, live, {(one["kind"], one["id"]): one["name"] for one in named})


def statement_rows(session: DatabaseSession, asking: Asking) -> list[dict[str, object]]:
    """pg_stat_statements now, in the columns of the table `statements`, whatever version the extension has.

    :raises CouldNotMeasureError: when this database has no such extension, or the server does not load it.
    """
    found = session.rows(asking.include.query("sql", VERSION), {}, name=VERSION)
    if not found:
        raise CouldNotMeasureError(
            "this database has no extension pg_stat_statements: put it into shared_preload_libraries, restart the "
            "server, then CREATE EXTENSION pg_stat_statements"
        )
    version = (found[0]["major"], found[0]["minor"])
    name = next(name for least, name in COLUMNS_BY_VERSION if version >= least)
    return session.rows(asking.include.query("sql", name), {}, name=name)
