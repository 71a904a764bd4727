"""What every DAG of the calendar keeps to, as functions of a DAG: each yields what is wrong, in words.

`test_dags.py` holds the real DAGs to them, `test_dag_rules.py` shows that each rule can be broken.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG
from airflow.sdk.definitions.deadline import DeadlineReference

from docrag_ops.notify import alarm_failed_run

ROOT = Path(__file__).parents[2]
POOLS = {"default_pool", *json.loads((ROOT / "include/airflow/pools.json").read_text())}
CHANGES = "docrag_ops.operators.changes"

# The calendar of the design: dag id → when. The ids are a contract with the operators' alerts and links.
QUARTERLY = "2 1,4,7,10 *"
CALENDAR: dict[str, str | None] = {
    "daily_health_check": "0 9 * * *",
    "daily_log_maintenance": "0 12 * * *",
    "daily_security_check": "0 18 * * *",
    "daily_backup_verification": "0 22 * * *",
    "daily_success_metrics": "0 23 * * *",
    "weekly_database_maintenance": "0 2 * * 0",
    "weekly_performance_review": "0 6 * * 0",
    "weekly_capacity_planning": "0 7 * * 0",
    "weekly_security_updates": "0 8 * * 0",
    "monthly_security_audit": "0 3 1 * *",
    "monthly_disaster_recovery_test": "0 4 1 * *",
    "monthly_cost_review": "0 6 1 * *",
    "monthly_documentation_refresh": "0 7 1 * *",
    "quarterly_performance_benchmark": f"0 3 {QUARTERLY}",
    "quarterly_infrastructure_review": f"0 6 {QUARTERLY}",
    "quarterly_scaling_review": f"0 7 {QUARTERLY}",
    "quarterly_knowledge_review": f"0 8 {QUARTERLY}",
    "deliver_alarms": "*/5 * * * *",
    "runbook_high_response_time": None,
    "runbook_connection_exhaustion": None,
    "runbook_connection_leak": None,
    "runbook_memory_leak": None,
    "runbook_disk_space": None,
    "runbook_cache_tuning": None,
    "tune_postgres": None,
    "tune_redis": None,
    "tune_api_resources": None,
    "apply_autoscaling": None,
}
CADENCES = {"daily", "weekly", "monthly", "quarterly", "continuous", "runbook"}
RISKS = {"reads", "changes"}


def is_of_the_calendar(dag: DAG) -> Iterator[str]:
    cron = CALENDAR.get(dag.dag_id, "not in the calendar")
    scheduled = None if dag.schedule is None else str(dag.schedule)
    if scheduled != cron:
        yield f"is scheduled {scheduled!r}; the calendar says {cron!r}"


def is_named_by_its_file(dag: DAG) -> Iterator[str]:
    if Path(dag.fileloc).stem != dag.dag_id:
        yield f"is in {Path(dag.fileloc).name}; expected {dag.dag_id}.py"


def opens_with_its_runbook(dag: DAG) -> Iterator[str]:
    for phrase in ("**Runs**", "**If it fails**"):
        if phrase not in (dag.doc_md or ""):
            yield f"has no {phrase} in its doc_md (`doc_md=__doc__`)"


def is_tagged(dag: DAG) -> Iterator[str]:
    for what, choices in (("cadence", CADENCES), ("risk", RISKS)):
        if len(choices & set(dag.tags)) != 1:
            yield f"has the tags {sorted(dag.tags)}; expected exactly one {what} of {sorted(choices)}"


def starts_when_its_time_comes(dag: DAG) -> Iterator[str]:
    if dag.catchup:
        yield "catches up; after downtime every missed run would start"
    if dag.start_date is not None:
        yield f"has the start_date {dag.start_date}; its first run would be the tick just missed, at once"
    if dag.schedule is not None and dag.max_active_runs != 1:
        yield f"allows {dag.max_active_runs} runs at once; a scheduled entry runs once at a time"


def waits_for_a_person_before_its_first_change(dag: DAG) -> Iterator[str]:
    if dag.schedule is not None and dag.is_paused_upon_creation is not ("changes" in dag.tags):
        yield (
            f"has is_paused_upon_creation={dag.is_paused_upon_creation}; entries that change something start "
            "paused (True), the others unpaused (False)"
        )


def is_bounded_in_time(dag: DAG) -> Iterator[str]:
    for task in dag.tasks:
        if not isinstance(task, ApprovalOperator) and not task.execution_timeout:
            yield f"{task.task_id} has no execution_timeout"


def is_heard_when_it_fails(dag: DAG) -> Iterator[str]:
    if dag.on_failure_callback is not alarm_failed_run:
        yield "has not the failure callback of docrag_ops.entry; its alarms wait for deliver_alarms"
    if dag.schedule is not None and not dag.deadline:
        yield "has no deadline (`late_after` of docrag_ops.entry); nobody hears that it is late"
    for alert in dag.deadline or []:
        if isinstance(alert.reference, type(DeadlineReference.DAGRUN_QUEUED_AT)):
            yield "counts its deadline from DAGRUN_QUEUED_AT; clearing such a run is answered with HTTP 500"


def uses_pools_that_exist(dag: DAG) -> Iterator[str]:
    for task in dag.tasks:
        if task.pool not in POOLS:
            yield f"{task.task_id} wants the pool {task.pool!r}, which is not in include/airflow/pools.json"


def asks_safely(dag: DAG) -> Iterator[str]:
    for task in dag.tasks:
        if isinstance(task, ApprovalOperator):
            if list(task.defaults or []) != ["Reject"]:
                yield f"{task.task_id} defaults to {task.defaults} when nobody answers; expected Reject"
            if not isinstance(task.response_timeout, timedelta):
                yield f"{task.task_id} has no response_timeout"
            if not task.retries:
                yield f"{task.task_id} has no retries; an answer in its first second fails it"


def changes_only_behind_an_approval(dag: DAG) -> Iterator[str]:
    for task in dag.tasks:
        if not type(task).__module__.startswith(CHANGES):
            continue
        if "changes" not in dag.tags:
            yield f"{task.task_id} changes something, but the DAG is not tagged 'changes'"
        upstream = task.get_flat_relatives(upstream=True)
        if getattr(task, "applies", True) and not any(isinstance(one, ApprovalOperator) for one in upstream):
            yield f"{task.task_id} applies a change without an approval before it"


RULES: list[Callable[[DAG], Iterator[str]]] = [
    is_of_the_calendar,
    is_named_by_its_file,
    opens_with_its_runbook,
    is_tagged,
    starts_when_its_time_comes,
    waits_for_a_person_before_its_first_change,
    is_bounded_in_time,
    is_heard_when_it_fails,
    uses_pools_that_exist,
    asks_safely,
    changes_only_behind_an_approval,
]
