"""Telling people: an alarm that is kept is claimed, composed, sent to every channel and marked as delivered.

Used by failure callbacks at once and by `deliver_alarms` for all that is kept, so that nobody sends it twice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from docrag_ops.core.alarms import Alarm, Claimed, Kind, Waiting

if TYPE_CHECKING:
    from docrag_ops.core.alarm_texts import Known, Message
    from docrag_ops.core.results import RunResult

log = logging.getLogger(__name__)

REPORT_TASK = "report"


class Store(Protocol):
    """Where alarms are kept: the outbox, or the spool while the history is down."""

    def claim(self, alarm: Alarm | None = None) -> Claimed | None: ...
    def make_due(self) -> None: ...
    def delivered(self, claimed: Claimed, *, channels: Sequence[str], message: str) -> None: ...
    def put_back(self, claimed: Claimed, *, channels: Sequence[str], error: str) -> None: ...
    def waiting(self) -> list[Waiting]: ...


def keep(alarm: Alarm) -> Store:
    """Write the alarm to the outbox, or to the spool when the history is down; returns where it is."""
    from docrag_ops.core.errors import UnreachableError
    from docrag_ops.hooks.alarm_outbox import AlarmOutbox
    from docrag_ops.hooks.alarm_spool import AlarmSpool

    outbox = AlarmOutbox()
    try:
        outbox.record(alarm)
    except UnreachableError as error:
        log.warning("%s is kept in a file: %s", alarm, error)
        spool = AlarmSpool()
        spool.record(alarm)
        return spool
    return outbox


def keep_and_deliver(alarm: Alarm) -> None:
    """Keep an alarm and tell it at once, unless somebody has or does; what is not taken stays for `deliver_alarms`."""
    store = keep(alarm)
    claimed = store.claim(alarm)
    if claimed is None:
        log.info("%s is told by somebody else", alarm)
        return
    deliver(store, claimed)


def deliver(store: Store, claimed: Claimed) -> bool:
    """Send a claimed alarm to the channels that do not have it yet; whether all have it now."""
    from docrag_ops.core.errors import UnreachableError
    from docrag_ops.hooks.alarm_channels import ChannelError, channels
    from docrag_ops.hooks.alarm_spool import AlarmSpool

    taken, errors, message = list(claimed.channels), [], None
    try:
        message = message_about(claimed.alarm)
        for channel in channels():
            if channel.name in taken:
                continue
            try:
                channel.send(message.title, message.text, is_test=claimed.alarm.kind is Kind.TEST)
            except ChannelError as error:
                errors.append(str(error))
            else:
                taken.append(channel.name)
        if not taken and not errors:
            errors.append("the Connection 'docrag_alarm' names no channel")
    except ChannelError as error:
        errors.append(str(error))
    except Exception as error:  # whatever is wrong with one alarm, it is kept, and the others are sent
        log.exception("The message about %s could not be made", claimed.alarm)
        errors.append(f"unexpected {type(error).__name__} (the traceback is in the log)")
    if errors or message is None:
        log.error("Not delivered: %s (try %d): %s", claimed.alarm, claimed.tries, "; ".join(errors))
        store.put_back(claimed, channels=taken, error="; ".join(errors))
        return False
    try:
        store.delivered(claimed, channels=taken, message=f"{message.title}\n\n{message.text}")
    except UnreachableError as error:
        log.warning(
            "%s was delivered; a file says so, as the history cannot be told: %s", claimed.alarm, error
        )
        AlarmSpool().record_delivered(claimed.alarm, channels=taken)
    log.info("Delivered: %s", claimed.alarm)
    return True


def message_about(alarm: Alarm) -> Message:
    """Compose the message from what is known of the alarm's run now."""
    from docrag_ops.core.alarm_texts import compose
    from docrag_ops.hooks.include import IncludeFolder

    template = IncludeFolder().text(f"reports/alarms/{alarm.kind}.txt.j2")
    return compose(alarm, _known_of(alarm), template=template)


def _known_of(alarm: Alarm) -> Known:
    from docrag_ops.core.alarm_texts import Known

    run_id = alarm.facts.get("run_id", alarm.run_id)
    if alarm.kind not in (Kind.FAILED, Kind.LATE):
        return Known()
    tasks = task_states(alarm.dag_id, run_id)
    if alarm.kind is Kind.LATE:
        return Known(tasks=tasks)
    result, missing = _result_of(alarm.dag_id, run_id)
    return Known(result=result, missing=missing, tasks=tasks, since=_bad_since(result))


def _result_of(entry: str, run_id: str) -> tuple[RunResult | None, str]:
    """What the run's report handed on: from history, or from Airflow while that is down; or why there is none."""
    from docrag_ops.core.errors import UnreachableError
    from docrag_ops.hooks.history import HistoryHook

    missing = "the run recorded no report"
    try:
        result = HistoryHook().report(entry=entry, run_id=run_id)
    except UnreachableError as error:
        result, missing = _result_from_airflow(entry, run_id), str(error)
    if result and not any(finding.verdict.fails for finding in result.findings):
        missing = "none of the report's findings fails a run"
    return result, missing


def _result_from_airflow(entry: str, run_id: str) -> RunResult | None:
    from docrag_ops.core.results import RunResult

    try:
        from airflow.sdk.bases.xcom import BaseXCom

        pushed = BaseXCom.get_one(key="return_value", dag_id=entry, task_id=REPORT_TASK, run_id=run_id)
        return RunResult.from_dict(pushed) if pushed else None
    except Exception as error:  # noqa: BLE001 (Airflow raises what it likes; better no findings than no message)
        log.warning("The report's result cannot be asked for here: %s", error)
        return None


def task_states(dag_id: str, run_id: str) -> dict[str, str]:
    """Task -> state, as Airflow says it now; empty where it cannot be asked."""
    try:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        found: dict[str, Any] = RuntimeTaskInstance.get_task_states(dag_id=dag_id, run_ids=[run_id])
        return {task: str(state or "not started") for task, state in found.get(run_id, {}).items()}
    except Exception as error:  # noqa: BLE001 (as above)
        log.warning("The tasks of %s cannot be asked for here: %s", run_id, error)
        return {}


def _bad_since(result: RunResult | None) -> dict[tuple[str, str], Any]:
    from docrag_ops.core.errors import UnreachableError
    from docrag_ops.hooks.alert_records import AlertRecords

    if result is None:
        return {}
    try:
        return dict(AlertRecords().first_seen(result.environment))
    except UnreachableError:
        return {}
