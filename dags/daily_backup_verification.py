"""
# Daily backup verification

**Question.** If the platform were lost now, could it be restored, from when, and how long would that take?

**Runs** daily at 22:00 UTC, after the evening's backups. It changes nothing on the live system, which it asks for its
catalogue, its rows' statistics and one newest row; restores go to the scratch server only.

**Looks at** the newest backup of PostgreSQL, Qdrant and the configuration: age by the time inside it, name, size,
every byte to its end, how many are kept. Then each newest dump is restored on the scratch server
(`docrag_postgres_scratch`; refused when that is the live one) by a role that owns nothing else, after it was read for
whatever would leave its database. Tables, indexes, constraints, extensions and rows are held against the live system,
a query of the application is asked, and what would be lost and how long it took go to the history.

**If it fails** `critical` means that a backup is bad: make a new one now. `unknown` means that the drill could not be
done: the backups may be good, nobody knows. The scratch databases are dropped, also after a kill; clear the run or
trigger a new one after mending.
"""

from datetime import timedelta

from airflow.sdk import DAG, TriggerRule

from docrag_ops.entry import scheduled_entry
from docrag_ops.operators.checks import CheckOperator
from docrag_ops.operators.report import ReportOperator

RESTORES_WITHIN = timedelta(hours=6)

with DAG(
    dag_id="daily_backup_verification",
    schedule="0 22 * * *",
    doc_md=__doc__,
    tags=["daily", "backups", "reads"],
    **scheduled_entry(late_after=timedelta(hours=7), dagrun_timeout=timedelta(hours=8)),
):
    check_backups = CheckOperator(
        task_id="check_backups", area="backups", execution_timeout=timedelta(hours=2)
    )
    restore_backups = CheckOperator(
        task_id="restore_backups", area="restores", pool="docrag_database", execution_timeout=RESTORES_WITHIN
    )
    sweep_scratch = CheckOperator(
        task_id="sweep_scratch", area="scratch", pool="docrag_database", trigger_rule=TriggerRule.ALL_DONE
    )
    report = ReportOperator(task_id="report")

    restore_backups >> sweep_scratch
    [check_backups, restore_backups, sweep_scratch] >> report
