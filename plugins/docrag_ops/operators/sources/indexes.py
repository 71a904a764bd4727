"""`measure: {indexes: missing}`: tables that are read whole, each with the statement that does so and its index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Measured, Measurement, Outcome
from docrag_ops.core.performance.suggestions import Table, create_index, suggest
from docrag_ops.hooks.database import DatabaseHook, DatabaseSession
from docrag_ops.operators.asking import Answers, Asking, answer_each
from docrag_ops.operators.sources.sql import parameters_of, require_rights
from docrag_ops.operators.sources.statements import statement_rows

MISSING = "performance/missing_indexes.sql"


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask in a session of its own."""
    questions = {"missing": _missing}
    return answer_each(checks, lambda check: questions[check.asked](asking))


def _missing(asking: Asking) -> Outcome:
    with DatabaseHook().session() as session:
        require_rights(session, asking)
        rows = session.rows(asking.include.query("sql", MISSING), parameters_of(asking), name=MISSING)
        statements, trouble = _statements(session, asking) if rows else ([], "")
    return Measured(tuple(_measurement(row, statements, trouble) for row in rows))


def _statements(session: DatabaseSession, asking: Asking) -> tuple[list[str], str]:
    """The texts of this database's statements, those with the most time first; or why they cannot be had."""
    try:
        return [str(row["query"]) for row in statement_rows(session, asking)], ""
    except CouldNotMeasureError as error:
        return [], str(error)


def _measurement(row: Mapping[str, Any], statements: Sequence[str], trouble: str) -> Measurement:
    table = Table(schema=row["schema"], name=row["name"], columns=row["columns"], unindexed=row["unindexed"])
    since = f"in {row['days']:.1f} days" if row["days"] is not None else "since the statistics began"
    counted = (
        f"{row['rows']:,} rows, {row['seq_scan']:,} sequential scans that read {row['seq_tup_read']:,} rows and "
        f"{row['idx_scan']:,} index scans {since}"
    )
    found = suggest(table, statements)
    if found is None:
        said = f"which statement reads it is not known: {trouble or 'none of the 300 with the most time names it'}"
    elif found.columns:
        said = f"{create_index(table, found.columns)} would serve: {found.query}"
    else:
        said = f"look with EXPLAIN at: {found.query}"
    return Measurement(subject=row["subject"], value=row["value"], evidence=f"{counted}; {said}")
