"""The numbers of a maintenance's proof, and what a pause between two batches has to wait for."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.errors import CouldNotMeasureError, StepFailedError, StepInterruptedError
from docrag_ops.core.maintenance import proof
from docrag_ops.core.maintenance.bloat import Bloat
from docrag_ops.core.maintenance.plan import Action
from docrag_ops.core.maintenance.policy import MaintenancePolicy, Pace
from docrag_ops.hooks.database import DatabaseHook, DatabaseSession
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.maintenance_relations import ask, valid_indexes
from docrag_ops.hooks.maintenance_session import CHANGES, COUNTS, READS, work_session
from docrag_ops.hooks.maintenance_survey import COUNTING, Surveyor
from docrag_ops.hooks.old_rows import OldRows
from docrag_ops.hooks.retention import Hindrance

if TYPE_CHECKING:
    from docrag_ops.hooks.maintenance_watch import Watch

LAG, BLOCKED = "postgres/replication_lag.sql", "postgres/blocked_sessions.sql"


class Measures:
    """Measures a planned maintenance."""

    def __init__(self, include: IncludeFolder, policy: MaintenancePolicy) -> None:
        self._include, self._policy = include, policy

    def of(self, plan: Plan) -> dict[str, float]:
        """The numbers of `core/maintenance/proof.py`."""
        now = self.rebuilt_oids([step for step in plan.steps if step.action == Action.REBUILD])
        planned = {new: old for old, new in now.items()}
        oids = [now.get(step.fingerprint["oid"], step.fingerprint["oid"]) for step in plan.steps]
        with DatabaseHook(READS).session() as session:
            rows = ask(session, self._include, "relation_numbers", oids=oids)
            whole = ask(session, self._include, "database_numbers")[0]
        return proof.numbers(
            plan,
            relations={planned.get(row["oid"], row["oid"]): row for row in rows},
            eligible=self._eligible(plan),
            bloat={planned[oid]: bloat for oid, bloat in self.bloat(set(planned)).items()},
            whole={
                proof.INVALID: float(whole["invalid_indexes"]),
                proof.DATABASE: float(whole["size_bytes"]),
            },
        )

    def rebuilt_oids(self, steps: Sequence[Step]) -> dict[str, str]:
        """Planned oid → oid now, of the indexes of these steps that are there and valid."""
        names = {
            step.fingerprint["oid"]: (str(step.details["schema"]), str(step.details["index"]))
            for step in steps
        }
        found = valid_indexes(self._include, list(names.values()))
        return {oid: found[name] for oid, name in names.items() if name in found}

    def _eligible(self, plan: Plan) -> dict[str, int]:
        """oid → rows beyond retention, of the tables where they can be counted."""
        found: dict[str, int] = {}
        steps = [step for step in plan.steps if step.action in proof.RETENTION]
        if not steps:
            return found
        with work_session(COUNTING, application=COUNTS) as session:
            for step in steps:
                try:
                    found[step.fingerprint["oid"]] = OldRows(self._include, step.details).count(session)[
                        "eligible"
                    ]
                except (
                    StepFailedError
                ):  # gone or locked: not among the numbers, which the proof shows as not measured
                    continue
        return found

    def bloat(self, oids: AbstractSet[str]) -> dict[str, Bloat]:
        """oid → bloat of these indexes, where it is known."""
        if not oids:
            return {}
        surveyor = Surveyor(self._include, self._policy, now=datetime.now(UTC))
        with DatabaseHook(READS).session() as reading, DatabaseHook(CHANGES).session() as changing:
            found = [one for one in surveyor.indexes(reading)[0] if one.oid in oids]
            return surveyor.bloat(found, reading, changing, smallest_bytes=0)[0]

    def hindrance(self, session: DatabaseSession, pace: Pace, watch: Watch) -> Hindrance:
        """Which replica lags too much, and whether sessions are blocked."""
        try:
            replicas = session.rows(self._include.query("sql", LAG), {}, name=LAG)
            blocked = session.rows(self._include.query("sql", BLOCKED), {}, name=BLOCKED)[0]["value"] > 0
        except CouldNotMeasureError as error:
            raise StepInterruptedError(f"it cannot be seen whether replicas lag: {error}") from error
        for row in replicas:
            if row["value"] is None or row["value"] > pace.lag_seconds:
                behind = row["problem"] or f"{row['value']:.0f} s behind"
                return Hindrance(
                    lags=f"the replica {row['subject']} is {behind} ({row['behind']})", blocked=blocked
                )
        return Hindrance(blocked=watch.take_recent() > 0 or blocked)
