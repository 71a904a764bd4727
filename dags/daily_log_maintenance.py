"""
# Daily log maintenance

**Question.** What do the logs of the last day say, and which finished log files can go?

**Runs** daily at 12:00 UTC, between the morning's check and the evening's, when somebody is there to be asked. It
waits, paused, until an operator unpauses it.

**Looks at** every pod of the API, previous containers included: lines by level, errors mined into templates, what is
new against the last seven runs; and at the log files in every fluentd pod.

**Changes** finished rotations only: archives beyond retention are deleted, rotations older than a day compressed. Never
an open file, a `*.pos` file, a symlink, the newest of its family, or anything under the kubelet's folders. Within the
environment's `changes.log_cleanup.limits` it acts by itself; beyond them it asks a person, who has eight hours.

**If it fails** a finding is `critical` or `unknown`, or nobody answered in time: the clean-up is overdue. Nothing is
half done: a step is one file, an original goes only after its compressed copy was tested, and what a killed run left
open is settled by the next. Trigger it by hand with *Dry run* to see what it would do.
"""

from datetime import timedelta

from airflow.sdk import DAG

from docrag_ops.entry import changing_entry
from docrag_ops.operators.changes import ApplyOperator, ApproveOperator, PlanOperator, ProveOperator
from docrag_ops.operators.checks import CheckOperator
from docrag_ops.operators.report import ReportOperator

ANSWER_WITHIN = timedelta(hours=8)

with DAG(
    dag_id="daily_log_maintenance",
    schedule="0 12 * * *",
    doc_md=__doc__,
    tags=["daily", "logs", "changes"],
    **changing_entry(late_after=timedelta(hours=9), dagrun_timeout=timedelta(hours=10)),
):
    review_logs = CheckOperator(task_id="review_logs", area="logs")
    plan_cleanup = PlanOperator(task_id="plan_cleanup", change="log_cleanup", acts_alone=True)
    approve_cleanup = ApproveOperator(
        task_id="approve_cleanup", change="log_cleanup", response_timeout=ANSWER_WITHIN
    )
    apply_cleanup = ApplyOperator(task_id="apply_cleanup", change="log_cleanup")
    prove_cleanup = ProveOperator(task_id="prove_cleanup", change="log_cleanup")
    report = ReportOperator(task_id="report")

    plan_cleanup >> approve_cleanup >> apply_cleanup >> prove_cleanup
    [review_logs, plan_cleanup, prove_cleanup] >> report
