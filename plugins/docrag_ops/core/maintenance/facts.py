"""What the server says of its tables and indexes, as the queries in `include/sql/maintenance/` answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docrag_ops.core.texts import one_line


def label(schema: str, name: str) -> str:
    """A table or index as a person reads it; foreign names are data."""
    return one_line(f"{schema}.{name}")


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """A row of tables.sql. Rows are the statistics' estimates; ages are transactions."""

    oid: str
    schema_name: str
    table_name: str
    live_rows: float
    dead_rows: float
    inserts: float
    changes: float
    never_analyzed: bool
    transaction_age: float
    vacuums: int
    analyzes: int
    busy: bool
    forgotten: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Schema and name."""
        return label(self.schema_name, self.table_name)

    def setting(self, name: str, server: Mapping[str, float]) -> float:
        """What a setting of autovacuum is for this table: its own, else the server's."""
        return float(self.options.get(name, server[name]))


@dataclass(frozen=True, kw_only=True)
class IndexFacts:
    """A row of indexes.sql."""

    oid: str
    table_oid: str
    schema_name: str
    index_name: str
    table_label: str
    method: str
    size_bytes: float
    file: str
    fillfactor: float
    busy: bool
    exclusion: bool = False
    tablespace: str | None = None

    @property
    def label(self) -> str:
        """Schema and name."""
        return label(self.schema_name, self.index_name)


@dataclass(frozen=True, kw_only=True)
class InvalidIndex:
    """A row of invalid_indexes.sql."""

    oid: str
    schema_name: str
    index_name: str
    table_label: str
    base: str | None
    twin: str | None
    building: bool

    @property
    def label(self) -> str:
        """Schema and name."""
        return label(self.schema_name, self.index_name)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A row of retention_parts.sql: a table that holds rows of a policy's table, with what was counted in it."""

    oid: str
    schema_name: str
    table_name: str
    live_rows: float
    is_partition: bool
    parent_schema: str | None
    parent_name: str | None
    column_type: str | None
    has_default: bool
    pending: bool
    upper: Any
    keys: list[str] | None
    key_types: list[str] | None
    foreign: bool = False
    triggers: Sequence[str] = ()
    needed_by: Sequence[str] = ()
    referenced_by: Sequence[Mapping[str, Any]] = ()
    eligible: int = 0
    held: int = 0
    referenced: int = 0
    undated: int = 0
    keeps: bool = True

    @property
    def label(self) -> str:
        """Schema and name."""
        return label(self.schema_name, self.table_name)
