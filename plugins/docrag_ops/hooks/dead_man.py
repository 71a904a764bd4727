"""The dead man's switch: an outside watcher is called by every scheduled run, and raises the alarm when it is not.

Its addresses are in the extra of the Connection `docrag_alarm`: {"dead_man": {"daily_health_check": "https://…"}}.
They hold tokens: nothing here quotes one.
"""

from __future__ import annotations

import logging

from docrag_ops.hooks.alarm_channels import CONN_ID, without_secrets

log = logging.getLogger(__name__)

SECONDS = 5.0


def tell_dead_man(entry: str, *, run_type: str) -> None:
    """Call the entry's address, when it has one and the run was scheduled. A failure is logged, no more:
    it is for the watcher to miss the call."""
    import requests
    from airflow.sdk.bases.hook import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException
    from airflow.sdk.log import mask_secret

    if run_type != "scheduled":
        return
    try:
        address = (BaseHook.get_connection(CONN_ID).extra_dejson.get("dead_man") or {}).get(entry)
    except AirflowNotFoundException:
        return
    if not address:
        return
    mask_secret(address)
    try:
        with requests.get(
            address, timeout=(3.0, SECONDS), stream=True
        ) as answer:  # its text is not waited for
            answer.raise_for_status()
    except requests.RequestException as error:
        log.warning("The dead man's switch of %s was not called: %s", entry, _why(error, address))
    else:
        log.info("The dead man's switch of %s was called", entry)


def _why(error: Exception, address: str) -> str:
    from docrag_ops.hooks.web import describe_failure

    return without_secrets(describe_failure(error, read_seconds=SECONDS), address)
