"""The plan of a database's maintenance: retention, then vacuum, then rebuilds, each only where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.maintenance.bloat import Bloat
from docrag_ops.core.maintenance.facts import IndexFacts, Part, TableFacts
from docrag_ops.core.maintenance.leftovers import why_kept
from docrag_ops.core.maintenance.policy import MaintenancePolicy
from docrag_ops.core.maintenance.survey import RetentionSeen, Survey
from docrag_ops.core.maintenance.upkeep import asks_for_rebuild, bloat_text, need_of, why_not_rebuilt
from docrag_ops.core.units import Unit, format_value

NAME = "database_maintenance"
UNDO = (
    "deleted rows come back from the export (where the policy has one) or the last backup; "
    "a vacuum or a rebuild alters no data"
)


_HALF_DETACHED = (
    "its detach was begun and not finished, it has rows that have to stay, and no other partition can be detached: "
    "ALTER TABLE … DETACH PARTITION … FINALIZE, then attach it again"
)


class Action(StrEnum):
    """What a step does."""

    DELETE = "delete old rows of"
    DROP_PART = "detach and drop"
    VACUUM = "vacuum"
    ANALYZE = "analyze"
    DROP_LEFTOVER = "drop invalid index"
    REBUILD = "rebuild index"


def plan_of(environment: str, target: str, survey: Survey, policy: MaintenancePolicy) -> Plan:
    """The plan for one database, which is the target of every step: one run at a time works on it."""
    planner = _Planner(target, survey, policy)
    steps = (*planner.retention(), *planner.upkeep(), *planner.leftovers(), *planner.rebuilds())
    amounts = {
        "rows": sum(seen.eligible for seen in survey.retention),
        "share": round(max((seen.share for seen in survey.retention), default=0.0), 4),
        "partitions": sum(step.action == Action.DROP_PART for step in steps),
        "leftovers": sum(step.action == Action.DROP_LEFTOVER for step in steps),
        "rebuilt_bytes": sum(step.size_bytes for step in steps if step.action == Action.REBUILD),
    }
    return Plan(
        change=NAME,
        environment=environment,
        summary=_summary(steps, survey, policy),
        steps=steps,
        amounts=amounts,
        expected="No row beyond its retention, no table or index that asks for maintenance, nobody kept waiting.",
        undo=UNDO,
        protected=(*planner.left_alone, *survey.not_known),
        unknown=(*survey.problems, *planner.unknown),
    )


class _Planner:
    def __init__(self, target: str, survey: Survey, policy: MaintenancePolicy) -> None:
        self._target, self._survey, self._policy = target, survey, policy
        self.left_alone: list[tuple[str, str]] = []
        self.unknown: list[tuple[str, str]] = []
        self._deleted: dict[str, int] = {}
        self._dropped: set[str] = set()

    def retention(self) -> Iterator[Step]:
        """Expired partitions, then rows, table by table."""
        for seen in self._survey.retention:
            if seen.problem:
                self.unknown.append((seen.policy.label, seen.problem))
                continue
            self.unknown.extend(seen.problems)
            for part in (*seen.dropping, *seen.parts):
                yield from self._part(seen, part)

    def _part(self, seen: RetentionSeen, part: Part) -> Iterator[Step]:
        if part.held:
            hold = seen.policy.legal_hold
            reason = hold.reason if hold else ""
            self.left_alone.append(
                (part.label, f"legal hold ({reason}): {part.held:,} rows as old as that stay")
            )
        if part.referenced:
            self.left_alone.append(
                (part.label, f"{part.referenced:,} old rows stay: rows of other tables point to them")
            )
        if part.undated:
            self.left_alone.append((part.label, f"{part.undated:,} rows have no {seen.policy.column}"))
        expired = part in seen.dropping or is_expired(part, seen)
        if part.pending and not expired:
            self.unknown.append((part.label, _HALF_DETACHED))
        if expired:
            self._dropped.add(part.oid)
            yield self._step(
                Action.DROP_PART, part.label, part.oid, part.table_name, step_details(seen, part)
            )
        elif part.eligible:
            self._deleted[part.oid] = part.eligible
            yield self._step(Action.DELETE, part.label, part.oid, part.table_name, step_details(seen, part))

    def upkeep(self) -> Iterator[Step]:
        """Vacuum and analyze, the tables with most dead rows first."""
        tables = sorted(self._survey.tables, key=lambda one: -(one.dead_rows + self._deleted.get(one.oid, 0)))
        for table in tables:
            if table.oid in self._dropped:
                continue
            deleted = self._deleted.get(table.oid, 0)
            need = need_of(table, self._policy.vacuum, self._survey.server, deleted=deleted)
            if need.reasons and self._may(table):
                details = {
                    "schema": table.schema_name,
                    "table": table.table_name,
                    "why": "; ".join(need.reasons),
                    "age_limit": need.age_limit,
                    "vacuums": table.vacuums,
                    "analyzes": table.analyzes,
                    "dead_rows": table.dead_rows + deleted,
                }
                action = Action.VACUUM if need.vacuum else Action.ANALYZE
                yield self._step(action, table.label, table.oid, table.table_name, details)

    def _may(self, table: TableFacts) -> bool:
        if table.oid in self._survey.not_ours:
            owner = self._survey.not_ours[table.oid]
            self.unknown.append(
                (table.label, f"it asks for maintenance, and this role may not: it belongs to {owner}")
            )
            return False
        if table.busy:
            self.left_alone.append((table.label, "a vacuum already works on it"))
        return not table.busy

    def leftovers(self) -> Iterator[Step]:
        """What interrupted rebuilds left."""
        for index in self._survey.invalid:
            kept = why_kept(index, self._survey.started)
            if kept:
                self.left_alone.append((index.label, f"invalid, and not dropped: {kept}"))
                continue
            details = {"schema": index.schema_name, "index": index.index_name, "table": index.table_label}
            yield self._step(
                Action.DROP_LEFTOVER, index.label, index.oid, index.index_name, details, valid="False"
            )

    def rebuilds(self) -> Iterator[Step]:
        """Bloated indexes, the smallest first: what goes wrong with a large one leaves the others done."""
        for index in sorted(self._survey.indexes, key=lambda one: one.size_bytes):
            bloat = self._survey.bloat.get(index.oid)
            if bloat is None or index.table_oid in self._dropped:
                continue
            expected = bloat.after_deleting(self._deleted_share(index))
            if asks_for_rebuild(expected, self._policy.reindex) and self._may_rebuild(index):
                yield self._rebuild(index, bloat, expected)

    def _deleted_share(self, index: IndexFacts) -> float:
        deleted = self._deleted.get(index.table_oid, 0)
        rows = next((one.live_rows for one in self._survey.tables if one.oid == index.table_oid), 0.0)
        return min(1.0, deleted / max(rows, deleted)) if deleted else 0.0

    def _may_rebuild(self, index: IndexFacts) -> bool:
        if index.table_oid in self._survey.not_ours:
            owner = self._survey.not_ours[index.table_oid]
            self.unknown.append(
                (index.label, f"it is bloated, and this role may not rebuild it: it is {owner}'s")
            )
            return False
        if self._survey.no_room_known:
            self.unknown.append((index.label, f"bloated, and not rebuilt: {self._survey.no_room_known}"))
            return False
        why_not = why_not_rebuilt(index, self._survey.free_bytes)
        if why_not:
            self.left_alone.append((index.label, f"bloated, and not rebuilt: {why_not}"))
        return not why_not

    def _rebuild(self, index: IndexFacts, bloat: Bloat, expected: Bloat) -> Step:
        details = {
            "schema": index.schema_name,
            "index": index.index_name,
            "table": index.table_label,
            "why": bloat_text(bloat)
            + ("" if bloat == expected else "; more after this plan's deletes, and only if it is so then")
            + ("" if self._policy.reindex.claim else "; no claim is named whose room on disk is looked at"),
        }
        size = int(index.size_bytes)
        return self._step(
            Action.REBUILD,
            index.label,
            index.oid,
            index.index_name,
            details,
            file=index.file,
            size_bytes=size,
        )

    def _step(
        self, action: Action, subject: str, oid: str, name: str, details: Mapping[str, object], **more: object
    ) -> Step:
        size = more.pop("size_bytes", 0)
        return Step(
            action=str(action),
            subject=subject,
            target=self._target,
            fingerprint={"oid": oid, "name": name, **{key: str(value) for key, value in more.items()}},
            size_bytes=int(str(size)),
            details=details,
        )


def is_expired(part: Part, seen: RetentionSeen) -> bool:
    """Whether a partition can leave as a whole: it takes no younger rows, holds none, and its parent lets go.

    Where a trigger wants to see each row go, or something else needs the table, its rows are deleted instead.
    """
    closed = part.pending or (part.upper is not None and part.upper <= seen.cutoff)
    alone = part.pending or not (part.has_default or part.triggers or part.needed_by)
    return part.is_partition and closed and alone and not part.keeps


def step_details(seen: RetentionSeen, part: Part) -> dict[str, object]:
    hold, policy = seen.policy.legal_hold, seen.policy
    export = f", exported by {policy.export} first" if policy.export else ""
    fires = f"; it fires {', '.join(part.triggers)}" if part.triggers else ""
    return {
        "why": f"{part.eligible:,} rows with {policy.column} before {seen.cutoff:%Y-%m-%d %H:%M} UTC{export}{fires}",
        "oid": part.oid,
        "schema": part.schema_name,
        "table": part.table_name,
        "of": seen.policy.label,
        "column": seen.policy.column,
        "type": part.column_type,
        "cutoff": seen.cutoff.isoformat(),
        "local_cutoff": seen.local_cutoff,
        "rows": part.eligible,
        "share": part.eligible / max(1.0, part.live_rows, part.eligible),
        "keys": part.keys,
        "key_types": part.key_types,
        "referenced_by": list(part.referenced_by),
        "triggers": list(part.triggers),
        "export": seen.policy.export,
        "all_held": bool(hold and hold.column is None),
        "hold_column": hold.column if hold else None,
        "hold_values": list(hold.values) if hold else [],
    }


def _summary(steps: tuple[Step, ...], survey: Survey, policy: MaintenancePolicy) -> str:
    counts = {action: sum(step.action == action for step in steps) for action in Action}
    words = {
        Action.DROP_PART: "{} partitions leave",
        Action.VACUUM: "{} tables are vacuumed",
        Action.ANALYZE: "{} analyzed",
        Action.DROP_LEFTOVER: "{} invalid indexes dropped",
        Action.REBUILD: "{} indexes rebuilt",
    }
    eligible = [
        f"{seen.eligible:,} rows of {seen.policy.label}" for seen in survey.retention if seen.eligible
    ]
    done = ["Delete " + " and ".join(eligible)] if eligible else []
    done += [text.format(f"{counts[action]:,}") for action, text in words.items() if counts[action]]
    return ("; ".join(done) if done else "Nothing asks for maintenance") + ". " + _seen(survey, policy)


def _seen(survey: Survey, policy: MaintenancePolicy) -> str:
    """The numbers that the plan is made of."""
    dead = max(
        (one.dead_rows / max(1.0, one.live_rows + one.dead_rows) for one in survey.tables), default=0.0
    )
    bloat = max((one.ratio for one in survey.bloat.values()), default=0.0)
    age = max((one.transaction_age for one in survey.tables), default=0.0)
    retention = [
        f"{seen.policy.label} has {seen.eligible:,} rows older than {seen.policy.days:g} days"
        for seen in survey.retention
        if not seen.problem
    ]
    return (
        f"{len(survey.tables):,} tables, at most {format_value(dead, Unit.RATIO)} dead rows, oldest row {age:,.0f} "
        f"transactions; bloat known of {len(survey.bloat):,} of {len(survey.indexes):,} indexes, at most "
        f"{format_value(bloat, Unit.RATIO)} (limit {format_value(policy.reindex.bloat, Unit.RATIO)} and "
        f"{format_value(policy.reindex.wasted_bytes, Unit.BYTES)})"
        + "".join(f"; {text}" for text in retention)
        + "."
    )
