"""Which invalid indexes may be dropped: what an interrupted REINDEX CONCURRENTLY left, and nothing else.

Source: https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from docrag_ops.core.maintenance.facts import InvalidIndex

LONGEST_NAME_BYTES = 63


def why_kept(index: InvalidIndex, started: AbstractSet[tuple[str, str]]) -> str:
    """The rule that protects an invalid index; empty when it may be dropped.

    :param started: schema and name of the indexes whose rebuild this project recorded starting
    """
    if index.building:
        return "an index of its table is being built at this moment"
    if index.base is None:
        return "its name is not one that REINDEX CONCURRENTLY gives (_ccnew, _ccold)"
    if index.twin or any(
        schema == index.schema_name and is_base_of(index.base, name) for schema, name in started
    ):
        return ""
    return "no valid index beside it has the same definition, and no rebuild of ours is recorded for it"


def is_base_of(base: str, name: str) -> bool:
    """Whether REINDEX CONCURRENTLY makes `base`_ccnew of an index of this name: it cuts what gets too long.

    >>> is_base_of("documents_pkey", "documents_pkey"), is_base_of("documents", "documents_pkey")
    (True, False)
    """
    if base == name:
        return True
    cut = len(base.encode()) >= LONGEST_NAME_BYTES - len("_ccnew999") - 3
    return cut and name.startswith(base) and len(name.encode()) + len("_ccnew") > LONGEST_NAME_BYTES
