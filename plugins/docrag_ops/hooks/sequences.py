"""Sequences and the columns that they feed. They are looked at and never moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docrag_ops.hooks.database import DatabaseSession
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.maintenance_session import identifier, statement


def furthest(session: DatabaseSession, include: IncludeFolder, row: Mapping[str, Any]) -> int | None:
    """The value in the column that a sequence comes to last; None of an empty column.

    :param row: one of sequence_columns.sql
    :raises CouldNotMeasureError: also when the column has no index and is too large to be read in time
    """
    from psycopg import sql

    query = statement(
        include,
        "sequence_behind",
        extreme=sql.SQL("max" if row["rises"] else "min"),
        column=identifier(row["column_name"]),
        table=identifier(row["schema_name"], row["table_name"]),
    )
    found = session.ask(query, {}, name="maintenance/sequence_behind.sql")[0]["furthest"]
    return None if found is None else int(found)


def last_value(session: DatabaseSession, include: IncludeFolder, row: Mapping[str, Any]) -> int | None:
    """The last value that a sequence gave; None when it gave none."""
    query = statement(
        include, "sequence_now", sequence=identifier(row["sequence_schema"], row["sequence_name"])
    )
    found = session.ask(query, {}, name="maintenance/sequence_now.sql")[0]["last_value"]
    return None if found is None else int(found)
