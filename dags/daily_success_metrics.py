"""
# Daily success metrics

**Question.** Does the service keep what it promises its users, and does the maintenance do what it is for?

**Runs** daily at 23:00 UTC, when the day's other entries are done. It changes nothing on the platform.

**Looks at** evidence only, Prometheus and the history, over 1, 7, 30 and 90 days: availability and what is left of its
error budget, unplanned downtime, p95, how fast the budget burned; backups that were restored; runs that were due. It
reads hours that are not kept yet into the history, and keeps the day's figures of every capacity series.

A window that is older than the evidence is not judged (`needs 90 days, has 60`). A gap is no good time: the evidence
says how much of a window is known. The objectives and planned windows are in the environment, under `slo`.

**If it fails** the error budget is spent, the service was down longer than the target allows, a backup was not proven,
an entry did not run, or it cannot be known. Nothing is left behind; clear the run after mending. The first run reads
what Prometheus has of 90 days, for at most three minutes; the next runs read the rest.
"""

from airflow.sdk import DAG

from docrag_ops.entry import scheduled_entry
from docrag_ops.operators.checks import CheckOperator
from docrag_ops.operators.report import ReportOperator

with DAG(
    dag_id="daily_success_metrics",
    schedule="0 23 * * *",
    doc_md=__doc__,
    tags=["daily", "slo", "reads"],
    **scheduled_entry(),
):
    check_service_level = CheckOperator(task_id="check_service_level", area="slo")
    check_maintenance = CheckOperator(task_id="check_maintenance", area="maintenance")
    keep_capacity = CheckOperator(task_id="keep_capacity", area="capacity")
    report = ReportOperator(task_id="report")

    [check_service_level, check_maintenance, keep_capacity] >> report
