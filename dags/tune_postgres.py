"""
# Tune PostgreSQL

**Question.** Which of PostgreSQL's settings do not fit what was measured, and does it serve better with others?

**Runs** when a person triggers it, as a dry run unless they say otherwise. The profile `measured` goes by the
container's memory limit, connections, temporary files, checkpoints, WAL rate and storage; `guide` by the operators'
guide, where the container has the memory for it.

**Changes** settings that take a reload, one by one: `ALTER SYSTEM`, reload, read back. Only what
`include/tuning/postgres.yaml` lists, within the server's own bounds, and at most as many as the environment's
`changes.postgres_settings.limits` allows; a person approves within an hour. What needs a restart is handed over with
its statement, never done. A setting that somebody changed meanwhile is left alone.

**If it fails** a setting did not take effect, or a known question got slower, failed or was refused after the settling
time: then every setting of the run is back at its former value, and the report says so. Killed half-way: clear the
task that applies; nothing is done twice.
"""

from datetime import timedelta

from airflow.sdk import DAG

from docrag_ops.entry import dry_run_param, environment_param, profile_param, runbook, settle_param
from docrag_ops.operators.changes import ApplyOperator, ApproveOperator, PlanOperator, ProveOperator
from docrag_ops.operators.report import ReportOperator

CHANGE = "postgres_settings"
ANSWER_WITHIN = timedelta(hours=1)

with DAG(
    dag_id="tune_postgres",
    schedule=None,
    doc_md=__doc__,
    tags=["runbook", "postgres", "changes"],
    **runbook(
        dagrun_timeout=timedelta(hours=2),
        params={
            "environment": environment_param(),
            "dry_run": dry_run_param(default=True),
            "profile": profile_param(),
            "settle_minutes": settle_param(),
        },
    ),
):
    plan_settings = PlanOperator(task_id="plan_settings", change=CHANGE)
    approve_settings = ApproveOperator(
        task_id="approve_settings", change=CHANGE, response_timeout=ANSWER_WITHIN
    )
    apply_settings = ApplyOperator(task_id="apply_settings", change=CHANGE)
    prove_settings = ProveOperator(
        task_id="prove_settings", change=CHANGE, settle_minutes="{{ params.settle_minutes }}"
    )
    report = ReportOperator(task_id="report")

    plan_settings >> approve_settings >> apply_settings >> prove_settings
    [plan_settings, prove_settings] >> report
