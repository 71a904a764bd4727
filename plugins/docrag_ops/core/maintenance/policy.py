"""`changes.database_maintenance.policy` of an environment: what may go, what asks for work, and how gently."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from docrag_ops.core.maintenance.facts import label
from docrag_ops.core.records import Record

Name = Annotated[str, Field(min_length=1)]


class LegalHold(Record):
    """Rows that stay whatever their age. Without a column the whole table is held."""

    reason: Annotated[Name, Field(description="why, and until when, e.g. case 2026-17")]
    column: Annotated[
        str | None, Field(min_length=1, description="a column; boolean unless `values` are given")
    ] = None
    values: Annotated[
        tuple[str, ...], Field(description="the column's values that are held, e.g. [user-17]")
    ] = ()

    @model_validator(mode="after")
    def _values_have_a_column(self) -> LegalHold:
        if self.values and not self.column:
            raise ValueError("values are given without the column that has them")
        return self


class Retention(Record):
    """A table whose rows go when they are too old."""

    table: Annotated[
        tuple[Name, Name], Field(description="schema and name as they are, e.g. [public, audit_logs]")
    ]
    column: Annotated[Name, Field(description="the column that says how old a row is, e.g. last_seen_at")]
    days: Annotated[float, Field(gt=0, description="the age in days beyond which rows go, e.g. 90")]
    export: Annotated[
        str | None,
        Field(
            min_length=1,
            description="the Connection (type fs) of the folder that rows are exported to first, e.g. docrag_archive",
        ),
    ] = None
    legal_hold: Annotated[
        LegalHold | None,
        Field(description="a mapping with reason and, for some rows only, column and values"),
    ] = None

    @property
    def label(self) -> str:
        """The table as a person reads it."""
        return label(*self.table)


class Pace(Record):
    """How gently rows are deleted."""

    rows: Annotated[
        int, Field(ge=1, le=10_000, description="the most rows of a batch, 1 to 10000, e.g. 5000")
    ] = 10_000
    batch_seconds: Annotated[
        float,
        Field(gt=0, le=5, description="a batch that takes longer makes the next one smaller, e.g. 0.25"),
    ] = 0.25
    pause_seconds: Annotated[float, Field(ge=0, description="the pause after each batch, e.g. 0.1")] = 0.1
    lag_seconds: Annotated[float, Field(gt=0, description="a replica's lag that is waited out, e.g. 10")] = 10
    patience_seconds: Annotated[
        float,
        Field(gt=0, description="how long is waited for a replica, or for rows that are locked, e.g. 300"),
    ] = 300


class VacuumPolicy(Record):
    """When a table is vacuumed or analyzed."""

    dead_rows: Annotated[
        float, Field(ge=0, description="dead rows below which nothing is done, e.g. 1000")
    ] = 1000
    dead_share: Annotated[
        float, Field(gt=0, lt=1, description="the share of dead rows that asks for a vacuum, e.g. 0.1")
    ] = 0.1
    age_share: Annotated[
        float,
        Field(
            gt=0, le=1, description="the share of autovacuum_freeze_max_age that asks for a freeze, e.g. 0.75"
        ),
    ] = 0.75
    cost_delay_ms: Annotated[
        float,
        Field(ge=0, le=100, description="the pause for each portion of work, as vacuum_cost_delay, e.g. 2"),
    ] = 2


class ReindexPolicy(Record):
    """When an index is rebuilt."""

    bloat: Annotated[
        float, Field(gt=0, lt=1, description="the wasted share of an index that asks for it, e.g. 0.4")
    ] = 0.4
    wasted_bytes: Annotated[
        float, Field(ge=0, description="wasted bytes below which nothing is done, e.g. 100000000")
    ] = 100_000_000
    claim: Annotated[
        str | None,
        Field(
            min_length=1,
            description="the volume claim of the data folder, e.g. postgres-data; Prometheus knows its space",
        ),
    ] = None


class MaintenancePolicy(Record):
    """All of it."""

    retention: Annotated[
        tuple[Retention, ...], Field(description="a list of table, column, days, and export, legal_hold")
    ] = ()
    pace: Annotated[Pace, Field(description="a mapping: how gently rows are deleted")] = Pace()
    vacuum: Annotated[VacuumPolicy, Field(description="a mapping: when a table is vacuumed")] = VacuumPolicy()
    reindex: Annotated[ReindexPolicy, Field(description="a mapping: when an index is rebuilt")] = (
        ReindexPolicy()
    )
    lock_timeout_seconds: Annotated[
        float, Field(gt=0, le=60, description="how long a statement waits for a lock, e.g. 2")
    ] = 2
    attempts: Annotated[int, Field(ge=1, le=10, description="how often a step is tried, e.g. 3")] = 3
    statement_minutes: Annotated[
        float, Field(gt=0, le=720, description="how long one vacuum or rebuild may take, e.g. 60")
    ] = 60

    @model_validator(mode="after")
    def _each_table_once(self) -> MaintenancePolicy:
        labels = [one.table for one in self.retention]
        for table in labels:
            if labels.count(table) > 1:
                raise ValueError(f"retention names the table {list(table)} more than once")
        return self
