"""Findings to Alertmanager: every report posts all open findings of its environment, `deliver_alarms` all there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.core.alerts import OpenFinding, Silence
    from docrag_ops.core.environments import Environment
    from docrag_ops.core.findings import Finding, NotJudged
    from docrag_ops.core.open_findings import Seen, Settlement
    from docrag_ops.core.results import RunResult
    from docrag_ops.hooks.alert_records import AlertRecords

NOT_CONFIGURED = "not configured: there is no Connection 'docrag_alertmanager'"
LATE_AFTER = timedelta(minutes=30)


@dataclass(frozen=True)
class Told:
    """What became of telling Alertmanager: own findings when it could not be told, and what it has silenced.

    `silences` is None when it was not asked.
    """

    findings: tuple[Finding, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    silences: list[Silence] | None = field(default=None)


def tell_alertmanager(result: RunResult, *, task_instance: Any, dag: Any, task_id: str) -> Told:
    """Bring the record of open findings up to date, post all of the environment's, and read back what is silenced."""
    from docrag_ops.core.errors import CouldNotMeasureError, DefinitionError
    from docrag_ops.core.findings import NotJudged
    from docrag_ops.core.own_findings import alertmanager_not_told
    from docrag_ops.hooks.alert_records import AlertRecords
    from docrag_ops.hooks.alertmanager import AlertmanagerHook

    hook, records, now = AlertmanagerHook(), AlertRecords(), datetime.now(UTC)
    try:
        to_tell = _open_findings(records, result, task_instance=task_instance, dag=dag, now=now)
        if not hook.is_configured():
            said = NotJudged(check="alertmanager_told", subject=task_id, reason=NOT_CONFIGURED)
            return Told(not_judged=(said,))
        _post(hook, records, to_tell, now=now)
        return Told(silences=hook.silences(result.environment))
    except (CouldNotMeasureError, DefinitionError) as error:
        return Told(findings=(alertmanager_not_told(task_id, reason=str(error)),))


def _open_findings(
    records: AlertRecords, result: RunResult, *, task_instance: Any, dag: Any, now: datetime
) -> list[OpenFinding]:
    """What Alertmanager has to be told now; while the history is down that is what this run found."""
    from docrag_ops.core.alerts import expected_until
    from docrag_ops.core.errors import UnreachableError
    from docrag_ops.core.open_findings import seen_in, settle
    from docrag_ops.hooks.include import IncludeFolder
    from docrag_ops.hooks.links import link_to

    include = IncludeFolder()
    checks = include.all_checks()
    areas = {check.name: area for area, found in checks.items() for check in found}
    not_wanted = _not_wanted(include.environment(result.environment), areas)
    ends_at = expected_until(
        now=now, next_due=_next_due(task_instance, result.entry), late_after=late_after_of(dag)
    )
    options: dict[str, Any] = {"now": now, "ends_at": ends_at, "link": link_to(result.entry, result.run_id)}
    try:
        seen = seen_in(
            result,
            recorded=records.bad_findings(result),
            unjudged=records.unjudged(result),
            areas=areas,
            not_wanted=not_wanted,
        )
        records.settle(result.environment, partial(_decide, seen, options), at=now, ends_at=ends_at)
        return records.to_tell(result.environment)
    except UnreachableError:
        found = seen_in(result, recorded=result.findings, unjudged=(), areas=areas, not_wanted=not_wanted)
        opened: list[OpenFinding] = settle(found, (), **options).opened
        return opened


def _decide(seen: Seen, options: dict[str, Any], known: list[OpenFinding]) -> Settlement:
    from docrag_ops.core.open_findings import settle

    return settle(seen, known, **options)


def _not_wanted(environment: Environment, areas: dict[str, str]) -> dict[str, str]:
    """Check -> why this environment does not ask it."""
    exempt = {name: f"the environment exempts it: {why}" for name, why in environment.exempt.items()}
    absent = {
        name: f"the environment has no {area}"
        for name, area in areas.items()
        if not environment.has_area(area)
    }
    return {**absent, **exempt}


def _next_due(task_instance: Any, entry: str) -> datetime | None:
    """When the entry's next run is due; None when it has no schedule, is paused, or Airflow does not say."""
    from docrag_ops.core.errors import CouldNotMeasureError
    from docrag_ops.hooks.entries import entry_states

    try:
        (state,) = entry_states(task_instance, [entry])
    except CouldNotMeasureError:
        return None
    return None if state.paused else state.next_run_at


def late_after_of(dag: Any) -> timedelta:
    """How long after its start a run of this DAG is late: its deadline."""
    alerts = getattr(dag, "deadline", None) or []
    intervals = [alert.interval for alert in (alerts if isinstance(alerts, list) else [alerts])]
    return max((one for one in intervals if isinstance(one, timedelta)), default=LATE_AFTER)


def _post(hook: Any, records: AlertRecords, to_tell: Sequence[OpenFinding], *, now: datetime) -> None:
    """Post what is open and what is over; of the same labels, what is open counts."""
    from docrag_ops.core.errors import UnreachableError

    alerts = {(one.environment, one.area, *one.key): one for one in to_tell if one.resolved_at}
    alerts |= {(one.environment, one.area, *one.key): one for one in to_tell if not one.resolved_at}
    hook.post([one.to_alert(now=now) for one in alerts.values()])
    try:
        records.told(to_tell, at=now)
    except UnreachableError:
        hook.log.warning("That Alertmanager was told is not recorded; it will be told again")


class AlertmanagerOperator(BaseOperator):
    """Posts every open finding again, as Alertmanager forgets on restart, and keeps its Watchdog alive.

    Skipped where there is no Alertmanager.
    """

    ui_color = "#f6e8e0"

    def execute(self, context: Context) -> None:
        """The Watchdog first: it does not need the history."""
        from docrag_ops.core.alerts import watchdog
        from docrag_ops.core.errors import CouldNotMeasureError
        from docrag_ops.hooks.alert_records import AlertRecords
        from docrag_ops.hooks.alertmanager import AlertmanagerHook
        from docrag_ops.hooks.links import link_to

        hook, records, now = AlertmanagerHook(), AlertRecords(), datetime.now(UTC)
        if not hook.is_configured():
            raise AirflowSkipException(NOT_CONFIGURED)
        try:
            hook.post([watchdog(now=now, link=link_to(context["dag"].dag_id))])
            to_tell = records.to_tell()
            _post(hook, records, to_tell, now=now)
        except CouldNotMeasureError as error:
            raise AirflowFailException(str(error)) from error
        still = sum(one.resolved_at is None for one in to_tell)
        self.log.info(
            "Alertmanager was told of %d open and %d resolved findings", still, len(to_tell) - still
        )
