"""
# Daily health check

**Question.** Is every part of Doc-RAG up, answering and within its limits, and is the calendar itself running?

**Runs** daily at 09:00 UTC, when the first operators are at work and the night's jobs are done. It changes nothing:
what it writes on the way (a probe row, a probe key) it rolls back or deletes.

**Looks at** the cluster, the service, PostgreSQL, Redis, Qdrant, the volumes, the traffic and the calendar: one task
per area, its questions in `include/checks/AREA.yaml`. An area that the environment does not have is skipped.

**If it fails** a finding is `critical` or `unknown` (it could not be measured, which is no health). The red task is
where the trouble is; the `report` task's log has every finding with evidence, remedy and runbook. Nothing is left
behind. After mending, clear the run or trigger a new one; it takes seconds.
"""

from airflow.sdk import DAG

from docrag_ops.entry import scheduled_entry
from docrag_ops.operators.checks import CheckOperator
from docrag_ops.operators.report import ReportOperator

with DAG(
    dag_id="daily_health_check",
    schedule="0 9 * * *",
    doc_md=__doc__,
    tags=["daily", "health", "reads"],
    **scheduled_entry(),
):
    check_cluster = CheckOperator(task_id="check_cluster", area="cluster")
    check_service = CheckOperator(task_id="check_service", area="service")
    check_postgres = CheckOperator(task_id="check_postgres", area="postgres")
    check_redis = CheckOperator(task_id="check_redis", area="redis")
    check_qdrant = CheckOperator(task_id="check_qdrant", area="qdrant")
    check_storage = CheckOperator(task_id="check_storage", area="storage")
    check_traffic = CheckOperator(task_id="check_traffic", area="traffic")
    check_calendar = CheckOperator(task_id="check_calendar", area="calendar")

    report = ReportOperator(task_id="report")

    [
        check_cluster,
        check_service,
        check_postgres,
        check_redis,
        check_qdrant,
        check_storage,
        check_traffic,
        check_calendar,
    ] >> report
