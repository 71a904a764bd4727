"""Each rule can be broken: one DAG per rule that breaks it, and says so."""

from datetime import UTC, datetime, timedelta

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from docrag_ops.notify import alarm_failed_run, alarm_late_run
from tests.policy import dag_rules


class Apply(EmptyOperator):
    """As an operator of `docrag_ops.operators.changes`."""

    __module__ = f"{dag_rules.CHANGES}.restart"


FROM_QUEUED = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(minutes=30),
    callback=AsyncCallback(alarm_late_run),
)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def dag_with(*tasks: EmptyOperator | ApprovalOperator, schedule: str = "0 9 * * *", **options) -> DAG:
    dag = DAG("daily_health_check", schedule=schedule, **options)
    for task in tasks:
        dag.add_task(task)
    return dag


def approval(**options) -> ApprovalOperator:
    safe = {"defaults": "Reject", "response_timeout": timedelta(hours=1), "retries": 1}
    return ApprovalOperator(task_id="approve", subject="?", **{**safe, **options})


def approved_change() -> DAG:
    first, then = approval(), Apply(task_id="apply")
    dag = dag_with(first, then, tags=["changes"])
    first >> then
    return dag


BROKEN = {
    "is_of_the_calendar": [dag_with(schedule="0 8 * * *"), DAG("some_other_dag", schedule=None)],
    "is_named_by_its_file": [dag_with()],
    "opens_with_its_runbook": [dag_with(doc_md="Some words")],
    "is_tagged": [dag_with(tags=["daily"]), dag_with(tags=["daily", "weekly", "reads"])],
    "starts_when_its_time_comes": [
        dag_with(catchup=True, start_date=LONG_AGO),
        dag_with(start_date=LONG_AGO),
        dag_with(max_active_runs=2),
    ],
    "waits_for_a_person_before_its_first_change": [
        dag_with(tags=["changes"], is_paused_upon_creation=False),
        dag_with(tags=["reads"], is_paused_upon_creation=True),
        dag_with(tags=["reads"]),
    ],
    "is_bounded_in_time": [dag_with(EmptyOperator(task_id="look"))],
    "is_heard_when_it_fails": [
        dag_with(),
        dag_with(on_failure_callback=alarm_failed_run),
        dag_with(on_failure_callback=alarm_failed_run, deadline=[FROM_QUEUED]),
    ],
    "uses_pools_that_exist": [dag_with(EmptyOperator(task_id="look", pool="no_such_pool"))],
    "asks_safely": [
        dag_with(approval(defaults="Approve")),
        dag_with(approval(response_timeout=None)),
        dag_with(approval(retries=0)),
    ],
    "changes_only_behind_an_approval": [
        dag_with(Apply(task_id="apply"), tags=["changes"]),
        dag_with(Apply(task_id="apply"), tags=["reads"]),
    ],
}


@pytest.mark.parametrize("rule", dag_rules.RULES, ids=lambda rule: rule.__name__)
def test_rule_sees_what_breaks_it(rule):
    for dag in BROKEN[rule.__name__]:
        assert len(list(rule(dag))) >= 1


def test_change_behind_an_approval_is_accepted():
    assert list(dag_rules.changes_only_behind_an_approval(approved_change())) == []


def test_safe_approval_is_accepted():
    assert list(dag_rules.asks_safely(dag_with(approval()))) == []
