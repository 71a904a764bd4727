"""`measure: {database: NAME}`: what a query alone cannot say about the database."""

from __future__ import annotations

from collections.abc import Sequence

from docrag_ops.core.checks import Check
from docrag_ops.core.errors import UnreachableError
from docrag_ops.core.measurements import Measured, Measurement, Outcome
from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.history import HistoryHook
from docrag_ops.operators.asking import Answers, Asking, answer_each
from docrag_ops.operators.sources.statements import statement_rows

WRITE_PROBE = "postgres/write_probe.sql"


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question in a session of its own: one that breaks its session leaves the next a whole one."""
    questions = {"connect": _connect, "write": _write, "statements": _record_statements}
    hook = DatabaseHook()
    return answer_each(checks, lambda check: questions[check.asked](hook, asking))


def _connect(hook: DatabaseHook, asking: Asking) -> Outcome:
    """0 when a session can be opened, 1 with the reason when not: a database that takes nobody is down."""
    try:
        with hook.session():
            return _one(0)
    except UnreachableError as error:
        return _one(1, str(error))


def _write(hook: DatabaseHook, asking: Asking) -> Outcome:
    """0 when a row can be written (and is rolled back), 1 with the reason when not."""
    with hook.session() as session:
        refusal = session.try_write(asking.include.query("sql", WRITE_PROBE), name=WRITE_PROBE)
    return _one(int(bool(refusal)), refusal)


def _record_statements(hook: DatabaseHook, asking: Asking) -> Outcome:
    """How many statements of pg_stat_statements were kept in history, for the weekly review."""
    with hook.session() as session:
        rows = statement_rows(session, asking)
    HistoryHook().record_statements(asking.run, rows, at=asking.now)
    return _one(len(rows))


def _one(value: float, evidence: str = "") -> Measured:
    return Measured((Measurement(subject="postgres", value=value, evidence=evidence),))
