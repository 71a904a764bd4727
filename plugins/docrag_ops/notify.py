"""Alarms: whatever fails, is late or does not import comes here, is kept, and is told once.

    source                                        runs in              sends at once?
    DAG failure callback  `alarm_failed_run`      dag-processor        yes
    deadline callback     `alarm_late_run`        triggerer            yes
    listener              `docrag_ops.listener`   scheduler, API       never: `deliver_alarms` does
                                                  server, dag-processor

Imported while DAG files are parsed, so everything heavy is imported when there is an alarm.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docrag_ops.core.alarms import Alarm

log = logging.getLogger(__name__)

LISTENER_SECONDS = 0.7
HISTORY_IS_LEFT_ALONE_SECONDS = 30.0
_history_is_left_alone_until = 0.0


def alarm_failed_run(context: Any) -> None:
    """A DAG's `on_failure_callback`: keep the alarm about the run and try to send it.

    The context has no `dag_run` when Airflow knows of no task that is to blame.
    """
    from docrag_ops.core.alarms import failed_run
    from docrag_ops.hooks.links import link_to, minute

    run = context.get("dag_run")
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    alarm = failed_run(
        dag_id=dag_id,
        run_id=run_id,
        clear_number=getattr(run, "clear_number", None),
        at=datetime.now(UTC),
        reason=str(context.get("reason") or ""),
        started=minute(getattr(run, "start_date", None)),
        link=link_to(dag_id, run_id),
    )
    raise_and_send(alarm)


async def alarm_late_run(context: Any = None, **_: Any) -> None:
    """A deadline's callback: an alarm, unless the run has ended. In the triggerer, so that a late run does not
    wait for the worker that it is late for.

    Deadlines are pruned on success alone: that of a run that failed early still comes here.
    """
    import asyncio

    await asyncio.to_thread(_alarm_late_run, context or {})


def _alarm_late_run(context: Any) -> None:
    from docrag_ops.core.alarms import Alarm, Kind
    from docrag_ops.hooks.links import link_to, minute

    run = context["dag_run"]
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    state = _state_of(dag_id, run_id) or str(run["state"])
    if state in ("success", "failed"):
        log.info("The run %s of %s ended before anybody had to be told that it is late", run_id, dag_id)
        return
    due = datetime.fromisoformat(str(run["logical_date"] or run["run_after"]))
    queued = datetime.fromisoformat(str(run["queued_at"] or run["run_after"]))
    deadline = datetime.fromisoformat(str(context["deadline"]["deadline_time"]))
    alarm = Alarm(
        kind=Kind.LATE,
        dag_id=dag_id,
        run_id=run_id,
        clear_number=int(queued.timestamp()),
        happened_at=datetime.now(UTC),
        facts={
            "run_id": run_id,
            "state": state,
            "since": minute(due),
            "deadline": minute(deadline),
            "link": link_to(dag_id, run_id),
        },
    )
    raise_and_send(alarm)


def _state_of(dag_id: str, run_id: str) -> str:
    """The run's state now; empty where Airflow cannot be asked."""
    try:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        state = RuntimeTaskInstance.get_dagrun_state(dag_id, run_id)
        return str(getattr(state, "value", state))  # an enum, in spite of its type
    except Exception as error:  # noqa: BLE001 (Airflow raises what it likes; an alarm too many is better than none)
        log.warning("The state of %s cannot be asked for here: %s", run_id, error)
        return ""


def raise_and_send(alarm: Alarm) -> None:
    """Keep an alarm and tell it at once, unless somebody has or does; what is not taken stays for `deliver_alarms`."""
    from docrag_ops.operators.delivery import keep_and_deliver

    keep_and_deliver(alarm)


def keep_within_a_second(alarm: Alarm) -> None:
    """The same for the listener, which must not keep the scheduler waiting, whatever the history's host does.

    The history is asked in a thread of its own: it may hang there, and Airflow's session of this thread, in the
    middle of a transaction, is not the one that the Connection is looked up with.
    """
    global _history_is_left_alone_until
    from docrag_ops.hooks.alarm_spool import AlarmSpool

    if time.monotonic() >= _history_is_left_alone_until:
        written: Future[None] = Future()
        threading.Thread(target=_write, args=(alarm, written), name="docrag-alarm", daemon=True).start()
        try:
            written.result(timeout=LISTENER_SECONDS)
        except Exception as error:  # noqa: BLE001 (TimeoutError, or what the history's driver raised)
            _history_is_left_alone_until = time.monotonic() + HISTORY_IS_LEFT_ALONE_SECONDS
            log.warning("%s is kept in a file: %s %s", alarm, type(error).__name__, error)
        else:
            return
    AlarmSpool().record(alarm)


def _write(alarm: Alarm, written: Future[None]) -> None:
    """Write to the outbox, then hand it what is spooled; a file of this alarm that was too hasty is removed."""
    from docrag_ops.hooks.alarm_outbox import AlarmOutbox
    from docrag_ops.hooks.alarm_spool import AlarmSpool

    try:
        outbox = AlarmOutbox(connect_seconds=2, statement_seconds=2)
        outbox.record(alarm)
    except Exception as error:  # noqa: BLE001 (handed to the thread that waits)
        written.set_exception(error)
        return
    written.set_result(None)
    try:
        AlarmSpool().drain(outbox.record)
    except Exception:
        log.exception("The spool of alarms could not be handed to the history; deliver_alarms tries again")
