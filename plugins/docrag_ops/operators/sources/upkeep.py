"""`measure: {upkeep: NAME}`: what needs the role that maintains the database, which is used to read only here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.core.maintenance.facts import label
from docrag_ops.core.maintenance.policy import MaintenancePolicy
from docrag_ops.core.measurements import Measured, Measurement, Outcome
from docrag_ops.hooks.database import DatabaseHook, DatabaseSession
from docrag_ops.hooks.maintenance_relations import ask
from docrag_ops.hooks.maintenance_session import CHANGES, READS
from docrag_ops.hooks.maintenance_survey import Surveyor
from docrag_ops.hooks.sequences import furthest, last_value
from docrag_ops.operators.asking import Answers, Asking, answer_each


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question."""
    questions = {"connections": _connections, "sequences": _sequences}
    return answer_each(checks, lambda check: questions[check.asked](asking))


def _connections(asking: Asking) -> Outcome:
    """0 when both lead to the same primary, 1 with what is wrong."""
    surveyor = Surveyor(asking.include, MaintenancePolicy(), now=datetime.now(UTC))
    with DatabaseHook(READS).session() as reading, DatabaseHook(CHANGES).session() as changing:
        try:
            evidence, wrong = surveyor.same_server(reading, changing), 0.0
        except UnreachableError:
            raise
        except CouldNotMeasureError as error:
            evidence, wrong = str(error), 1.0
    return Measured((Measurement(subject="postgres", value=wrong, evidence=evidence),))


def _sequences(asking: Asking) -> Outcome:
    """How many numbers in its column are beyond a sequence's last one; 0 when none is."""
    with DatabaseHook(CHANGES).session() as session:
        rows = ask(session, asking.include, "sequence_columns")
        return Measured(tuple(_behind(row, session, asking) for row in rows if not row["cycles"]))


def _behind(row: Mapping[str, Any], session: DatabaseSession, asking: Asking) -> Measurement:
    column = f"{label(row['schema_name'], row['table_name'])}.{label('', row['column_name'])[1:]}"
    subject = f"{label(row['sequence_schema'], row['sequence_name'])} for {column}"
    if not row["may_read"]:
        return Measurement(subject=subject, problem=f"the role of {CHANGES} may not read both")
    try:
        furthest_value = furthest(session, asking.include, row)
        last = last_value(session, asking.include, row)
    except CouldNotMeasureError as error:
        return Measurement(subject=subject, problem=str(error))
    if furthest_value is None:
        return Measurement(subject=subject, value=0, evidence="the column is empty")
    evidence = (
        f"the column reaches {furthest_value}, the sequence is at {last if last is not None else 'its start'}"
    )
    beyond = _beyond(furthest_value, last, rises=row["rises"], start=row["start_value"])
    return Measurement(subject=subject, value=float(beyond), evidence=evidence)


def _beyond(furthest_value: int, last: int | None, *, rises: bool, start: int) -> int:
    """How many numbers the column is ahead. A sequence that gave none yet gives its start next."""
    if last is None:
        last = start - 1 if rises else start + 1
    return max(0, furthest_value - last if rises else last - furthest_value)
