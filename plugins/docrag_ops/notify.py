"""Alarms: what a person is told when a run failed.

Imported while DAG files are parsed, so everything heavy is imported when an alarm is sent.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from docrag_ops.core.results import RunResult

log = logging.getLogger(__name__)

CONN_ID = "docrag_alarm"
TEMPLATE = "reports/alarm.txt.j2"
TRIES = 3
PAUSE_SECONDS = 2.0


def alarm_failed_run(context: Any) -> None:
    """Send one message about a failed run: what, where, evidence, remedy, runbook, link (a DAG failure callback).

    An error inside a callback is only logged by Airflow, so sending is tried three times here.
    """
    from docrag_ops.core.rendering import render
    from docrag_ops.hooks.include import IncludeFolder

    run = context["dag_run"]
    result, missing = _result_of(run.dag_id, run.run_id)
    body = render(
        IncludeFolder().text(TEMPLATE),
        dag_id=run.dag_id,
        run_id=run.run_id,
        started=getattr(run, "start_date", None),
        reason=context.get("reason") or "a task failed",
        result=result,
        missing=missing,
        link=link_to(run.dag_id, run.run_id),
    )
    title, _, text = body.partition("\n")
    send(title, text.strip())


def _result_of(entry: str, run_id: str) -> tuple[RunResult | None, str]:
    """The result that the run's report recorded, or why there is none."""
    from docrag_ops.core.errors import UnreachableError
    from docrag_ops.hooks.history import HistoryHook

    try:
        result = HistoryHook().report(entry=entry, run_id=run_id)
    except UnreachableError as error:
        return None, str(error)
    return result, "" if result else "the run recorded no report"


def link_to(dag_id: str, run_id: str) -> str:
    """The address of a run in the UI."""
    from airflow.sdk.configuration import conf

    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"


def send(title: str, text: str) -> None:
    """Send a message over every channel of the Connection `docrag_alarm`.

    The provider's own `AppriseHook.notify` drops Apprise's answer, so a refused message would look sent.

    :raises RuntimeError: when it was refused or not delivered, after three tries.
    """
    import apprise
    from airflow.providers.apprise.hooks.apprise import AppriseHook

    hook = AppriseHook(CONN_ID)
    channels = apprise.Apprise()
    hook.set_config_from_conn(hook.get_connection(CONN_ID), channels)
    for attempt in range(1, TRIES + 1):
        if channels.notify(title=title, body=text, notify_type=apprise.NotifyType.FAILURE):
            return
        log.warning("The alarm %r was not delivered (try %d of %d)", title, attempt, TRIES)
        time.sleep(PAUSE_SECONDS * attempt)
    raise RuntimeError(
        f"The alarm {title!r} was not delivered by the Connection {CONN_ID!r}: see the log above"
    )
