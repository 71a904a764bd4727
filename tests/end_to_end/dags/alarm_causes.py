"""Entries that fail, hang and are late, each in one way: thrown away after the tests (Airflow reads dag files only
that say so)."""

import time
from datetime import timedelta

from airflow.sdk import DAG, task

from docrag_ops.entry import scheduled_entry


def cause(dag_id: str, seconds: float, **options: object) -> None:
    """An entry whose one task takes some time, and then raises."""

    @task(retries=0)
    def wait_and_raise() -> None:
        time.sleep(seconds)
        raise ValueError("the task was told to fail")

    with DAG(dag_id, schedule=None, **scheduled_entry(**options)):
        wait_and_raise()


cause("alarm_raises", 0)
cause("alarm_raises_later", 8)
cause("alarm_hangs", 300)
cause("alarm_hangs_late", 300, late_after=timedelta(seconds=30))
cause("alarm_times_out", 300, dagrun_timeout=timedelta(seconds=4))
