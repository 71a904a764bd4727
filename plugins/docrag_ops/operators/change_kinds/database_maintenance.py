"""Change kind `database_maintenance`: old rows go, then tables are vacuumed, then bloated indexes are built anew.

What asks for which work is in `core/maintenance/`; the policy is the environment's. Everything is done beside the
application's readers and writers, and a second session watches whether one of them has to wait.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.errors import (
    ChangeError,
    CouldNotMeasureError,
    StepFailedError,
    StepInterruptedError,
    UnreachableError,
)
from docrag_ops.core.maintenance import proof, waits
from docrag_ops.core.maintenance.bloat import Bloat
from docrag_ops.core.maintenance.plan import NAME, Action, plan_of
from docrag_ops.core.maintenance.policy import MaintenancePolicy
from docrag_ops.core.maintenance.upkeep import asks_for_rebuild, bloat_text, why_no_room
from docrag_ops.core.records import parse_record
from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.maintenance_measures import Measures
from docrag_ops.hooks.maintenance_records import MaintenanceRecords
from docrag_ops.hooks.maintenance_relations import holders, relation
from docrag_ops.hooks.maintenance_session import (
    CHANGES,
    COUNTS,
    READS,
    Bounds,
    WorkSession,
    with_attempts,
    work_session,
)
from docrag_ops.hooks.maintenance_survey import COUNTING, Surveyor
from docrag_ops.hooks.maintenance_watch import Watch, watching
from docrag_ops.hooks.old_rows import OldRows
from docrag_ops.hooks.partitions import ExpiredPartition
from docrag_ops.hooks.retention import Deleted, delete_old_rows
from docrag_ops.hooks.upkeep import Upkeep
from docrag_ops.operators.asking import Asking

log = logging.getLogger(__name__)


def policy_of(asking: Asking) -> MaintenancePolicy:
    """The environment's policy.

    :raises DefinitionError: when there is none, or it is wrong.
    """
    name = asking.environment.name
    return parse_record(
        MaintenancePolicy,
        asking.environment.change(NAME).policy,
        what=f"changes.{NAME}.policy of environment {name!r}",
        where=f"include/environments/{name}.yaml",
    )


class Change:
    """See `operators/changes.py` for what each method is asked."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._include = asking.include
        self._policy = policy_of(asking)
        self._measures = Measures(asking.include, self._policy)
        self._alone = False

    def plan(self) -> Plan:
        """Measure tables, indexes and rows, and plan what they ask for."""
        records, environment = MaintenanceRecords(), self._asking.environment
        surveyor = Surveyor(self._include, self._policy, now=self._asking.now)
        with DatabaseHook(READS).session() as reading, DatabaseHook(CHANGES).session() as changing:
            target = f"PostgreSQL database {surveyor.same_server(reading, changing)}"
        survey = surveyor.look(
            started=records.rebuilds_started(environment.name, target),
            not_dropped=records.partitions_not_dropped(environment.name, target),
            variables=self._variables(),
        )
        return plan_of(environment.name, target, survey, self._policy)

    def _variables(self) -> Mapping[str, str]:
        traffic = self._asking.environment.traffic
        return traffic.variables if traffic else {}

    def measure(self, plan: Plan) -> dict[str, float]:
        """Rows beyond retention, sizes, dead rows, ages, bloat, invalid indexes, and how long others waited for us."""
        record = MaintenanceRecords().find(self._asking.run, NAME)
        told = [step.what for step in record.steps] if record else []
        numbers = self._measures.of(plan)
        if not waits.unwatched(told):
            numbers[proof.LONGEST_WAIT] = waits.longest(told) or 0.0
        return numbers

    def look(self, step: Step) -> Mapping[str, str] | None:
        """Oid, name, storage and validity of the step's table or index now."""
        state = relation(self._include, step.fingerprint["oid"])
        return {key: str(state[key]) for key in ("oid", "name", "file", "valid")} if state else None

    def apply(self, step: Step) -> str:
        """Do exactly this step, watched; says what was done, and how long others waited for it."""
        work = self._work(step)
        self._end_orphans()
        with watching(self._include, at_most_seconds=self._policy.lock_timeout_seconds) as watch:
            try:
                said = work(watch)
            except (StepFailedError, CouldNotMeasureError) as error:
                raise StepFailedError(f"{error}; {waits.told(watch.longest_seconds)}") from error
            return f"{said}; {waits.told(watch.longest_seconds)}"

    def _end_orphans(self) -> None:
        """Once: end what an earlier, killed task left at work on the server."""
        if self._alone:
            return
        with work_session(self._bounds()) as session:
            ended = Upkeep(self._include).end_orphans(session)
        if ended:
            log.warning("Ended %d sessions that a killed task had left at work", ended)
        self._alone = True

    def _work(self, step: Step) -> Callable[[Watch], str]:
        upkeep, oid = Upkeep(self._include), step.fingerprint["oid"]
        match step.action:
            case Action.DELETE:
                return partial(self._delete, step)
            case Action.DROP_PART:
                leave = ExpiredPartition(self._include, step.details).leave
                return partial(self._tried, leave)
            case Action.VACUUM:
                return partial(self._tried, lambda session: upkeep.vacuum(session, oid, step.details))
            case Action.ANALYZE:
                return partial(self._tried, lambda session: upkeep.analyze(session, oid, step.details))
            case Action.DROP_LEFTOVER:
                names = (step.details["schema"], step.details["index"])
                return partial(self._tried, lambda session: upkeep.drop_index(session, *names))
            case Action.REBUILD:
                return partial(self._rebuild, step)
        raise ChangeError(f"Action {step.action!r} is none of: {', '.join(Action)}")

    def _tried(self, action: Callable[[WorkSession], str], watch: Watch) -> str:
        """In a session of its own for each attempt: what ended the last one may have taken its session too."""

        def once() -> str:
            try:
                with work_session(self._bounds()) as session:
                    watch.follow(session)
                    return action(session)
            except UnreachableError as error:
                raise StepInterruptedError(str(error)) from error

        pause = self._policy.lock_timeout_seconds
        longest = self._policy.statement_minutes * 60
        return with_attempts(self._policy.attempts, once, pause_seconds=pause, longest_seconds=longest)

    def _delete(self, step: Step, watch: Watch) -> str:
        done = Deleted()
        rows = OldRows(self._include, step.details)

        def delete(session: WorkSession) -> str:
            with DatabaseHook(READS).session() as looking:
                hindrance = partial(self._measures.hindrance, looking, self._policy.pace, watch)
                delete_old_rows(rows, session, self._policy.pace, hindrance=hindrance, done=done)
            return ""

        try:
            self._tried(delete, watch)
        except StepFailedError as error:
            raise StepFailedError(f"{error}; {_told(done)}") from error
        if done.left:
            held = holders(self._include, step.fingerprint["oid"])
            keys = f" (the first keys: {'; '.join(done.left_keys)})" if done.left_keys else ""
            triggers = f", or kept by {', '.join(rows.triggers)}" if rows.triggers else ""
            raise StepFailedError(
                f"{done.left:,} rows are locked{triggers} and stay{keys}; at work on the table: "
                f"{held or 'nobody now'}; {_told(done)}"
            )
        return _told(done)

    def _rebuild(self, step: Step, watch: Watch) -> str:
        """Measure again: what was only expected to be bloated after the deletes may not be."""
        bloat = self._bloat_now(step)
        if bloat and not asks_for_rebuild(bloat, self._policy.reindex):
            return f"left as it is: {bloat_text(bloat)}, which asks for nothing"
        no_room = self._why_no_room(step)
        if no_room:
            raise StepFailedError(f"not rebuilt: {no_room}")
        upkeep = Upkeep(self._include)
        try:
            said = self._tried(
                lambda session: upkeep.rebuild(session, step.fingerprint["oid"], step.details), watch
            )
        except StepFailedError:
            self._leave_nothing(step)
            raise
        after = self._bloat_now(step)
        return f"{said}; before: {_known(bloat)}; after: {_known(after)}"

    def _why_no_room(self, step: Step) -> str:
        """Asked again: rebuilds before this one, and hours until the approval, took their room."""
        surveyor = Surveyor(self._include, self._policy, now=self._asking.now)
        free, not_known = surveyor.room(self._variables())
        return not_known or why_no_room(step.size_bytes, free)

    def _bloat_now(self, step: Step) -> Bloat | None:
        """Of the index that has the name now: a rebuilt one has an oid of its own."""
        return next(
            iter(self._measures.bloat(set(self._measures.rebuilt_oids([step]).values())).values()), None
        )

    def _leave_nothing(self, step: Step) -> None:
        """Drop what the last attempt left; what cannot be dropped now is found by the next run."""
        try:
            with work_session(self._bounds()) as session:
                names = (str(step.details["schema"]), str(step.details["index"]))
                Upkeep(self._include).drop_leftovers_of(session, names)
        except StepFailedError as error:
            log.warning("What an interrupted rebuild left stays for the next run: %s", error)

    def was_done(self, step: Step) -> bool:
        """Whether the catalogue shows that the step was done. What cannot be seen was not."""
        oid = step.fingerprint["oid"]
        if step.action == Action.REBUILD:
            return self._measures.rebuilt_oids([step]).get(oid, oid) != oid
        state = relation(self._include, oid)
        if state is None:
            return step.action in (Action.DROP_PART, Action.DROP_LEFTOVER)
        match step.action:
            case Action.DELETE:
                with work_session(COUNTING, application=COUNTS) as session:
                    return OldRows(self._include, step.details).count(session)["eligible"] == 0
            case Action.VACUUM:
                return bool(state["vacuums"] > step.details["vacuums"])
            case Action.ANALYZE:
                return bool(state["analyzes"] > step.details["analyzes"])
        return False

    def improved(self, plan: Plan, before: Mapping[str, float], after: Mapping[str, float]) -> str:
        """No row is left that should be gone, no index is invalid, none that was rebuilt is as bloated as before."""
        return proof.not_better(plan, before, after, bloat_limit=self._policy.reindex.bloat)

    def undo(self, plan: Plan) -> str:
        """Nothing is taken back: deleting was what policy asks for, and the rest alters no data."""
        return f"Nothing was undone: {plan.undo}"

    def _bounds(self) -> Bounds:
        return Bounds(
            lock_seconds=self._policy.lock_timeout_seconds,
            statement_seconds=self._policy.statement_minutes * 60,
            cost_delay_ms=self._policy.vacuum.cost_delay_ms,
        )


def _known(bloat: Bloat | None) -> str:
    return bloat_text(bloat) if bloat else "not known"


def _told(done: Deleted) -> str:
    files = f", exported to {done.files:,} files" if done.files else ""
    speed = done.rows / done.work_seconds if done.work_seconds else 0.0
    return (
        f"{done.rows:,} rows deleted in {done.batches:,} batches{files}, {speed:,.0f} a second, "
        f"{done.paused_seconds:.1f} s of pauses not counted"
    )
