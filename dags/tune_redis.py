"""
# Tune Redis

**Question.** Which of Redis' settings do not fit its memory and what it keeps, and does it serve better with others?

**Runs** when a person triggers it, as a dry run unless they say otherwise. The profile `measured` goes by the
container's memory limit, what is kept and the clients; `guide` by the operators' guide, without what is dangerous in
it.

**Changes** settings one by one by `CONFIG SET`, read back, then writes them into its file by `CONFIG REWRITE`. Only
what `include/tuning/redis.yaml` lists; a person approves within an hour. Never an eviction policy that could throw
sessions away, never a `maxmemory` below what is in use, never a flush. Where Redis has no file, the lines for its
manifest are handed over. A setting that somebody changed meanwhile is left alone.

**If it fails** a setting did not take effect or could not be written down, or a known question got slower, failed or
was refused after the settling time: then every setting of the run is back at its former value, and the report says so.
Killed half-way: clear the task that applies; nothing is done twice.
"""

from datetime import timedelta

from airflow.sdk import DAG

from docrag_ops.entry import dry_run_param, environment_param, profile_param, runbook, settle_param
from docrag_ops.operators.changes import ApplyOperator, ApproveOperator, PlanOperator, ProveOperator
from docrag_ops.operators.report import ReportOperator

CHANGE = "redis_settings"
ANSWER_WITHIN = timedelta(hours=1)

with DAG(
    dag_id="tune_redis",
    schedule=None,
    doc_md=__doc__,
    tags=["runbook", "redis", "changes"],
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
