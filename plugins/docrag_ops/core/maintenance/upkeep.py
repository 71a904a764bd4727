"""Which tables ask for a vacuum or an analyze, and which indexes for a rebuild; and why, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from docrag_ops.core.maintenance.bloat import Bloat
from docrag_ops.core.maintenance.facts import IndexFacts, TableFacts
from docrag_ops.core.maintenance.policy import ReindexPolicy, VacuumPolicy
from docrag_ops.core.units import Unit, format_value

SMALL_ROWS = 1000


@dataclass(frozen=True)
class Need:
    """What a table asks for: `vacuum`, or `analyze` alone. Empty reasons: nothing.

    :param age_limit: transactions below which a freeze has to bring its age; None where it asks for no freeze
    """

    vacuum: bool
    age_limit: float | None
    reasons: tuple[str, ...]


def need_of(
    table: TableFacts, policy: VacuumPolicy, server: Mapping[str, float], *, deleted: float = 0
) -> Need:
    """What the table asks for.

    :param server: the settings of server_settings.sql that are numbers
    :param deleted: rows that this plan deletes from it first
    """
    vacuum, freeze = [], []
    dead = table.dead_rows + deleted
    rows = max(1.0, table.live_rows + table.dead_rows)
    if dead >= policy.dead_rows and dead / rows >= policy.dead_share:
        soon = f", {_count(deleted)} of them by this plan" if deleted else ""
        vacuum.append(f"{_count(dead)} dead rows ({format_value(dead / rows, Unit.RATIO)}{soon})")
    threshold = table.setting("autovacuum_vacuum_insert_threshold", server)
    inserts = threshold + table.setting("autovacuum_vacuum_insert_scale_factor", server) * table.live_rows
    if threshold >= 0 and table.inserts > inserts:
        vacuum.append(f"{_count(table.inserts)} rows inserted since it was vacuumed")
    if table.forgotten and table.live_rows >= SMALL_ROWS:
        vacuum.append("no vacuum or analyze is on record: its counters were lost, as in a crash")
    most = server["autovacuum_freeze_max_age"] * policy.age_share
    if table.transaction_age >= most:
        freeze.append(f"its oldest row is {_count(table.transaction_age)} transactions old")
    stale = _stale(table, server)
    if vacuum or freeze:
        return Need(True, most if freeze else None, (*freeze, *vacuum, *stale))
    return Need(False, None, tuple(stale))


def _stale(table: TableFacts, server: Mapping[str, float]) -> list[str]:
    threshold = table.setting("autovacuum_analyze_threshold", server)
    scale = table.setting("autovacuum_analyze_scale_factor", server)
    if table.never_analyzed and max(table.live_rows, table.changes) >= SMALL_ROWS:
        return ["it was never analyzed"]
    if table.changes > threshold + scale * table.live_rows and table.changes >= SMALL_ROWS:
        return [f"{_count(table.changes)} rows changed since it was analyzed"]
    return []


def asks_for_rebuild(bloat: Bloat, policy: ReindexPolicy) -> bool:
    """Whether so much of an index is wasted that a rebuild is worth it."""
    return bloat.ratio >= policy.bloat and bloat.wasted_bytes >= policy.wasted_bytes


def bloat_text(bloat: Bloat) -> str:
    """`48 % (12.0 MiB) wasted, measured by pgstattuple`."""
    share, size = format_value(bloat.ratio, Unit.RATIO), format_value(bloat.wasted_bytes, Unit.BYTES)
    return f"{share} ({size}) wasted, {bloat.how}"


def why_not_rebuilt(index: IndexFacts, free_bytes: float | None) -> str:
    """Why a bloated index is left alone; empty when it can be rebuilt."""
    if index.exclusion:
        return "PostgreSQL rebuilds the index of an exclusion constraint only under a lock"
    if index.busy:
        return "an index of its table is being built at this moment"
    if index.tablespace and free_bytes is not None:
        return f"the room of its tablespace {index.tablespace} is not known"
    return why_no_room(index.size_bytes, free_bytes)


def why_no_room(size_bytes: float, free_bytes: float | None) -> str:
    """Why an index is not rebuilt for want of disk; empty when there is room, or when nobody says where to ask.

    A rebuild needs the index a second time, and as much again of write-ahead log.
    """
    if free_bytes is None or free_bytes >= 2 * size_bytes:
        return ""
    free, size = format_value(free_bytes, Unit.BYTES), format_value(size_bytes, Unit.BYTES)
    return f"the volume has {free} free; a rebuild of {size} needs twice its size"


def _count(value: float) -> str:
    return format_value(round(value), Unit.COUNT)
