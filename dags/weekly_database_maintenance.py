"""
# Weekly database maintenance

**Question.** Which rows are beyond their retention, and which tables and indexes of PostgreSQL ask for care?

**Runs** Sundays at 02:00 UTC, when there is least traffic and before the reviews that look at the result. It waits,
paused, until an operator unpauses it. One slot of the pool `docrag_database`: never beside a backup's verification.

**Looks at** autovacuum's settings first: what it should do by itself is a setting to change, not work for Sundays. Then
at rows by the environment's retention, dead rows, insert volume, statistics, transaction age and bloat.

**Changes** in this order, and only where what was measured asks for it: old rows are exported where policy says so and
deleted in small batches; tables are vacuumed and analyzed; bloated indexes are built anew concurrently, and what
interrupted rebuilds left is dropped. Nothing waits long for a lock, and nobody waits for us: a second session watches.
Beyond `changes.database_maintenance.limits` it asks a person, who has five hours.

**If it fails** a finding is `critical` or `unknown`, a step could not be done (the others were), or nobody answered.
Everything can be interrupted: deleted batches stay deleted, an invalid index left by a rebuild is never used and goes
in the next run, which also finishes a partition that was detached. Trigger it by hand with *Dry run* to see its plan.
"""

from datetime import timedelta

from airflow.sdk import DAG, TriggerRule

from docrag_ops.entry import changing_entry
from docrag_ops.operators.changes import ApplyOperator, ApproveOperator, PlanOperator, ProveOperator
from docrag_ops.operators.checks import CheckOperator
from docrag_ops.operators.report import ReportOperator

CHANGE = "database_maintenance"
ANSWER_WITHIN = timedelta(hours=5)
MEASURING, WORKING = timedelta(minutes=30), timedelta(hours=3)

with DAG(
    dag_id="weekly_database_maintenance",
    schedule="0 2 * * 0",
    doc_md=__doc__,
    tags=["weekly", "database", "changes"],
    **changing_entry(late_after=timedelta(hours=9), dagrun_timeout=timedelta(hours=10)),
):
    one_at_a_time = {"pool": "docrag_database"}
    whatever_happened = {**one_at_a_time, "trigger_rule": TriggerRule.ALL_DONE}

    question_autovacuum = CheckOperator(task_id="question_autovacuum", area="autovacuum", **one_at_a_time)
    plan_maintenance = PlanOperator(
        task_id="plan_maintenance",
        change=CHANGE,
        acts_alone=True,
        execution_timeout=MEASURING,
        **whatever_happened,
    )
    approve_maintenance = ApproveOperator(
        task_id="approve_maintenance", change=CHANGE, response_timeout=ANSWER_WITHIN
    )
    apply_maintenance = ApplyOperator(
        task_id="apply_maintenance", change=CHANGE, execution_timeout=WORKING, **one_at_a_time
    )
    check_database = CheckOperator(task_id="check_database", area="upkeep", **whatever_happened)
    prove_maintenance = ProveOperator(
        task_id="prove_maintenance", change=CHANGE, execution_timeout=MEASURING, **one_at_a_time
    )
    report = ReportOperator(task_id="report")

    question_autovacuum >> plan_maintenance >> approve_maintenance >> apply_maintenance
    apply_maintenance >> check_database >> prove_maintenance
    [question_autovacuum, plan_maintenance, check_database, prove_maintenance] >> report
