"""Everything that the plan of a maintenance is made of, measured; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from docrag_ops.core.errors import CouldNotMeasureError, StepFailedError
from docrag_ops.core.maintenance import bloat as bloat_maths
from docrag_ops.core.maintenance.bloat import Bloat
from docrag_ops.core.maintenance.facts import IndexFacts, InvalidIndex, Part, TableFacts, label
from docrag_ops.core.maintenance.plan import step_details
from docrag_ops.core.maintenance.policy import MaintenancePolicy, Retention
from docrag_ops.core.maintenance.survey import RetentionSeen, Survey, why_not_deleted_from
from docrag_ops.hooks.archive_folder import ArchiveFolder
from docrag_ops.hooks.database import DatabaseHook, DatabaseSession
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.maintenance_relations import ask
from docrag_ops.hooks.maintenance_session import (
    CHANGES,
    COUNTS,
    READS,
    Bounds,
    WorkSession,
    identifier,
    statement,
    work_session,
)
from docrag_ops.hooks.metrics import MetricsHook
from docrag_ops.hooks.old_rows import OldRows

OLDEST_SERVER = 140_000
MEASURING_SECONDS = 120
COUNTING = Bounds(lock_seconds=2, statement_seconds=600)
Facts = TypeVar("Facts", TableFacts, IndexFacts, InvalidIndex, Part)


class Surveyor:
    """Looks at the database by both Connections: statistics by the one that reads, rows by the one that changes."""

    def __init__(self, include: IncludeFolder, policy: MaintenancePolicy, *, now: datetime) -> None:
        self._include, self._policy, self._now = include, policy, now

    def look(
        self,
        *,
        started: frozenset[tuple[str, str]],
        not_dropped: Sequence[Mapping[str, Any]],
        variables: Mapping[str, str],
    ) -> Survey:
        """All of it.

        :param started: indexes whose rebuild was recorded; not_dropped: partitions that an earlier run left detached
        :raises CouldNotMeasureError: when it is the wrong server: a replica, an old one, or two different ones
        """
        with DatabaseHook(READS).session() as reading, DatabaseHook(CHANGES).session() as changing:
            self.same_server(reading, changing)
            indexes, locked = self.indexes(reading)
            bloat, not_known = self.bloat(
                indexes, reading, changing, smallest_bytes=self._policy.reindex.wasted_bytes
            )
            free, no_room_known = self.room(variables)
            return Survey(
                tables=self._facts(TableFacts, reading, "tables"),
                server=self._server(reading),
                not_ours={row["oid"]: row["owner"] for row in ask(changing, self._include, "owned")},
                retention=self._retention(changing, not_dropped),
                indexes=indexes,
                bloat=bloat,
                not_known=(*not_known, *locked),
                invalid=self._facts(InvalidIndex, reading, "invalid_indexes"),
                started=started,
                free_bytes=free,
                no_room_known=no_room_known,
            )

    def same_server(self, reading: DatabaseSession, changing: DatabaseSession) -> str:
        """The database's name, when both Connections lead to it and it can be written to."""
        one, other = (ask(session, self._include, "same_server")[0] for session in (reading, changing))
        if one["database"] != other["database"] or one["started"] != other["started"]:
            raise CouldNotMeasureError(
                f"{READS} leads to the database {one['database']!r} of a server started at {one['started']}, {CHANGES} "
                f"to {other['database']!r} of one started at {other['started']}; expected the same"
            )
        if other["replica"] or other["read_only"]:
            what = "a replica, which only replays" if other["replica"] else "read-only"
            raise CouldNotMeasureError(
                f"The server of {CHANGES} is {what}; expected the primary, open for writing"
            )
        if changing.server_version < OLDEST_SERVER:
            raise CouldNotMeasureError(
                f"The server is version {changing.server_version // 10_000}; expected 14 or newer"
            )
        return str(one["database"])

    def _facts(self, kind: type[Facts], session: DatabaseSession, name: str) -> list[Facts]:
        return [kind(**row) for row in ask(session, self._include, name)]

    def indexes(self, session: DatabaseSession) -> tuple[list[IndexFacts], list[tuple[str, str]]]:
        """Those that can be looked at, and (index, why not) of the others."""
        rows = ask(session, self._include, "indexes")
        locked = [one for one in rows if one["size_bytes"] is None]
        return [IndexFacts(**one) for one in rows if one not in locked], [
            (label(one["schema_name"], one["index_name"]), "somebody has locked it, or just dropped it")
            for one in locked
        ]

    def _server(self, session: DatabaseSession) -> dict[str, float]:
        rows = {row["name"]: row["value"] for row in ask(session, self._include, "server_settings")}
        return {name: float(value) for name, value in rows.items() if value not in ("on", "off")}

    def bloat(
        self,
        indexes: Sequence[IndexFacts],
        reading: DatabaseSession,
        changing: DatabaseSession,
        *,
        smallest_bytes: float,
    ) -> tuple[dict[str, Bloat], list[tuple[str, str]]]:
        """oid → bloat of every B-tree, and why it is not known of the other indexes.

        :param smallest_bytes: indexes from this size on are read as a whole by pgstattuple; others are estimated
        """
        place = next(iter(ask(reading, self._include, "pgstattuple_place")), None)
        estimates = {row.pop("oid"): row for row in ask(changing, self._include, "index_estimate")}
        known: dict[str, Bloat] = {}
        unknown: list[tuple[str, str]] = []
        with ExitStack() as stack:
            measuring = None
            if place and place["may_measure"]:
                options = f"-c statement_timeout={MEASURING_SECONDS}s -c lock_timeout=2s"
                connection, where = stack.enter_context(DatabaseHook(READS).opened(options))
                measuring = WorkSession(connection, where)
            for index in indexes:
                if index.method != "btree":
                    unknown.append((index.label, f"the bloat of {index.method} indexes is not known"))
                    continue
                large = index.size_bytes >= smallest_bytes
                found = (self._measured(index, measuring, place) if large else None) or _estimated(
                    index, estimates.get(index.oid)
                )
                if found:
                    known[index.oid] = found
                else:
                    unknown.append(
                        (
                            index.label,
                            "its bloat is not known: no pgstattuple, and its entries have no statistics",
                        )
                    )
        return known, unknown

    def _measured(
        self, index: IndexFacts, session: WorkSession | None, place: Mapping[str, Any] | None
    ) -> Bloat | None:
        """By pgstattuple, which reads the whole index."""
        if session is None or place is None:
            return None
        query = statement(self._include, "index_pages", schema=identifier(place["schema_name"]))
        try:
            row = session.rows(query, {"oid": index.oid})[0]
        except StepFailedError:  # it is gone, locked, or too large to be read in time: it is estimated
            return None
        row.pop("empty_pages")
        return bloat_maths.measured(fillfactor=index.fillfactor, **row)

    def room(self, variables: Mapping[str, str]) -> tuple[float | None, str]:
        """Bytes free on the volume, as Prometheus knows it, or why they are not known where they should be."""
        claim = self._policy.reindex.claim
        if claim is None:
            return None, ""
        quoted = json.dumps(claim, ensure_ascii=False)[1:-1]
        query = self._include.promql("maintenance/volume_free.promql", {**variables, "claim": quoted})
        try:
            series = MetricsHook().query(query)
        except CouldNotMeasureError as error:
            return None, f"the room on its volume is not known: {error}"
        if not series:
            return None, f"the room on its volume is not known: Prometheus knows no claim {claim!r}"
        return series[0].value, ""

    def _retention(
        self, changing: DatabaseSession, not_dropped: Sequence[Mapping[str, Any]]
    ) -> list[RetentionSeen]:
        if not self._policy.retention:
            return []
        with work_session(COUNTING, application=COUNTS, patience_seconds=0) as counting:
            return [self._table(one, changing, counting, not_dropped) for one in self._policy.retention]

    def _table(
        self,
        policy: Retention,
        changing: DatabaseSession,
        counting: WorkSession,
        not_dropped: Sequence[Mapping[str, Any]],
    ) -> RetentionSeen:
        """A policy's table; what is wrong with it leaves the others alone."""
        cutoff = self._now - timedelta(days=policy.days)
        seen = RetentionSeen(policy=policy, cutoff=cutoff)
        hold = policy.legal_hold.column if policy.legal_hold else None
        names = {"schema": policy.table[0], "table": policy.table[1], "column": policy.column, "hold": hold}
        try:
            if policy.export:
                ArchiveFolder(policy.export).root()
            row = next(iter(ask(changing, self._include, "retention_table", **names)), None)
            problem = why_not_deleted_from(row, policy)
            if row is None or problem:
                return replace(seen, problem=problem)
            found = ask(changing, self._include, "retention_parts", oid=row["oid"], column=policy.column)
            seen = replace(seen, local_cutoff=self._local_cutoff(cutoff))
            counted = [self._counted(Part(**one), seen, counting) for one in found]
            counted += self._detached(seen, changing, counting, not_dropped)
        except (CouldNotMeasureError, StepFailedError) as error:
            return replace(seen, problem=str(error))
        known = [one for one in counted if isinstance(one, Part)]
        ours = {one["oid"] for one in found}
        return replace(
            seen,
            parts=tuple(one for one in known if one.oid in ours),
            dropping=tuple(one for one in known if one.oid not in ours),
            problems=tuple(one for one in counted if not isinstance(one, Part)),
        )

    def _local_cutoff(self, cutoff: datetime) -> str:
        """The cutoff of a column without a zone, asked in the zone that the server has by itself."""
        with DatabaseHook(CHANGES).opened(f"-c statement_timeout={MEASURING_SECONDS}s") as (
            connection,
            where,
        ):
            query = statement(self._include, "local_cutoff")
            return str(WorkSession(connection, where).rows(query, {"cutoff": cutoff})[0]["cutoff"])

    def _counted(self, part: Part, seen: RetentionSeen, counting: WorkSession) -> Part | tuple[str, str]:
        """A part with its numbers, or it and what is in the way: the other parts are looked at all the same."""
        if part.foreign:
            return part.label, "it is a foreign table: its old rows are another server's"
        try:
            return self._count(part, seen, counting)
        except StepFailedError as error:
            return part.label, str(error)

    def _count(self, part: Part, seen: RetentionSeen, counting: WorkSession) -> Part:
        rows = OldRows(self._include, step_details(seen, part))
        counted = replace(part, **rows.count(counting))  # type: ignore[arg-type]
        if part.is_partition and (part.upper is not None or part.pending):
            return replace(counted, keeps=rows.keeps(counting))
        return counted

    def _detached(
        self,
        seen: RetentionSeen,
        changing: DatabaseSession,
        counting: WorkSession,
        not_dropped: Sequence[Mapping[str, Any]],
    ) -> Iterator[Part | tuple[str, str]]:
        """Partitions of this table that an earlier run detached and did not drop; of one that is not all old, why."""
        ours = {
            one["oid"]: (one["schema"], one["table"]) for one in not_dropped if one["of"] == seen.policy.label
        }
        for oid, name in ours.items():
            state = next(iter(ask(changing, self._include, "relation_state", oid=oid)), None)
            if state is None or state["attached"] or (state["schema_name"], state["name"]) != name:
                continue
            for one in ask(changing, self._include, "retention_parts", oid=oid, column=seen.policy.column):
                part = Part(**one)
                if not part.column_type:
                    continue
                if OldRows(self._include, step_details(seen, part)).keeps(counting):
                    yield (
                        part.label,
                        "an earlier run detached it, and it has rows that have to stay: attach it again",
                    )
                else:
                    yield self._count(part, seen, counting)


def _estimated(index: IndexFacts, row: Mapping[str, float] | None) -> Bloat | None:
    if not row:
        return None
    return bloat_maths.estimated(fillfactor=index.fillfactor, size_bytes=index.size_bytes, **row)
