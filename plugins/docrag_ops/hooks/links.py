"""Addresses in the UI, and times, as messages show them."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote


def link_to(dag_id: str, run_id: str = "") -> str:
    """The address of a run in the UI, or of its DAG; of the list of DAGs when nothing is named."""
    from airflow.sdk.configuration import conf

    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    parts = ["dags", *([quote(dag_id, safe="")] if dag_id else [])]
    if run_id:
        parts += ["runs", quote(run_id, safe="")]
    return "/".join((base, *parts))


def minute(when: datetime | None) -> str:
    """A time to the minute.

    >>> minute(datetime(2026, 7, 1, 9, 0, 59, tzinfo=UTC))
    '2026-07-01 09:00 UTC'
    """
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when else ""
