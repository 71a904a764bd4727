"""What a table or index is at this moment, and who is in its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docrag_ops.core.maintenance.facts import InvalidIndex
from docrag_ops.hooks.database import DatabaseHook, DatabaseSession
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.maintenance_session import READS


def ask(
    session: DatabaseSession, include: IncludeFolder, name: str, **parameters: object
) -> list[dict[str, Any]]:
    """The rows of a query below include/sql/maintenance/."""
    path = f"maintenance/{name}.sql"
    return session.rows(include.query("sql", path), parameters, name=path)


def relation(include: IncludeFolder, oid: str) -> dict[str, Any] | None:
    """A table or index by its oid, as relation_state.sql tells it; None when it is gone."""
    with DatabaseHook(READS).session() as session:
        rows = ask(session, include, "relation_state", oid=oid)
    return rows[0] if rows else None


def holders(include: IncludeFolder, oid: str) -> str:
    """Who has a lock on a table, in words; empty when nobody has."""
    with DatabaseHook(READS).session() as session:
        rows = ask(session, include, "lock_holders", oid=oid)
    return "; ".join(row["holder"] for row in rows)


def horizon(include: IncludeFolder) -> str:
    """What keeps dead rows from being removed, the oldest first, in words."""
    with DatabaseHook(READS).session() as session:
        rows = ask(session, include, "vacuum_horizon")
    return (
        "; ".join(f"{row['holder']}, {row['age']:,} transactions old" for row in rows)
        or "nothing that can be seen"
    )


def invalid_indexes(include: IncludeFolder) -> list[InvalidIndex]:
    """All indexes that are not valid."""
    with DatabaseHook(READS).session() as session:
        return [InvalidIndex(**row) for row in ask(session, include, "invalid_indexes")]


def valid_indexes(include: IncludeFolder, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(schema, name) → oid of those valid indexes now: a rebuilt index has the name, and an oid of its own."""
    parameters = {"schemas": [schema for schema, _ in names], "names": [name for _, name in names]}
    with DatabaseHook(READS).session() as session:
        rows = ask(session, include, "indexes_by_name", **parameters)
    return {(row["schema_name"], row["index_name"]): row["oid"] for row in rows if row["valid"]}
