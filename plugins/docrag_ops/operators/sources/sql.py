"""`measure: {sql: FILE}`: a query below `include/sql/`.

Columns: `subject`, and `value` or `numerator` and `denominator`; `epoch`, `evidence`, `problem` and `not_judged` where
there are any.
Every other column is evidence under its own name. The environment's `postgres` section gives the named parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError, DefinitionError
from docrag_ops.core.measurements import Measured, Measurement, Outcome
from docrag_ops.hooks.database import DatabaseHook, DatabaseSession
from docrag_ops.operators.asking import Answers, Asking, answer_each

_NUMBERS = ("value", "numerator", "denominator")
_TEXTS = ("subject", "epoch", "evidence", "problem", "not_judged")
RIGHTS = "postgres/monitor_rights.sql"


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each check's query in one session.

    :raises CouldNotMeasureError: when the role does not see what others do; what it then sees looks well.
    """
    with DatabaseHook().session() as session:
        require_rights(session, asking)
        return answer_each(checks, lambda check: _ask(check, session, asking))


def require_rights(session: DatabaseSession, asking: Asking) -> None:
    """Make sure that the role sees what others do.

    :raises CouldNotMeasureError: when it does not; what it then sees looks well.
    """
    for row in session.rows(asking.include.query("sql", RIGHTS), {}, name=RIGHTS):
        if not row["granted"]:
            raise CouldNotMeasureError(
                f"The role {row['role']!r} sees its own sessions only; expected a member of pg_monitor: "
                f"GRANT pg_monitor TO {row['role']}"
            )


def _ask(check: Check, session: DatabaseSession, asking: Asking) -> Outcome:
    rows = session.rows(asking.include.query("sql", check.asked), parameters_of(asking), name=check.asked)
    return Measured(tuple(measurement_of(row, name=check.asked) for row in rows))


def parameters_of(asking: Asking) -> dict[str, object]:
    """The named parameters that queries may use: the environment's `postgres` section."""
    section = asking.environment.postgres
    return {name: list(value) if isinstance(value, tuple) else value for name, value in section or ()}


def measurement_of(row: Mapping[str, Any], *, name: str) -> Measurement:
    """The measurement in a row; columns that are neither number nor subject are its evidence."""
    if "subject" not in row or not ("value" in row or {"numerator", "denominator"} <= set(row)):
        raise DefinitionError(
            f"include/sql/{name} answers the columns {', '.join(row)}; expected 'subject' and 'value', or 'subject', "
            "'numerator' and 'denominator'"
        )
    value, numerator, denominator = (_number(row.get(column)) for column in _NUMBERS)
    rest = [f"{column} {value}" for column, value in row.items() if column not in (*_NUMBERS, *_TEXTS)]
    return Measurement(
        subject=str(row["subject"]),
        epoch=str(row.get("epoch") or ""),
        problem=str(row.get("problem") or ""),
        not_judged=str(row.get("not_judged") or ""),
        evidence=str(row["evidence"]) if row.get("evidence") is not None else ", ".join(rest),
        value=value,
        numerator=numerator,
        denominator=denominator,
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
