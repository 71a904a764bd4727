"""
# Weekly performance review

**Question.** What got slow, what is read in vain and what is not needed, and what would mend it?

**Runs** Sundays at 06:00 UTC, when the week's database maintenance is done and few people work. It changes nothing on
the platform and resets nobody's counters; it keeps a snapshot of pg_stat_statements and the charts in the history.

**Looks at** the week's statements between the daily snapshots, against the week before; missing, unused, duplicate and
invalid indexes, and tables that are read whole; Redis' answers, big keys and what fills it, by a bounded SCAN; p95, p99
and errors of every route over seven days, with charts in the run's tab Report. Each finding has its evidence and what
to do: the index to create, the query to look at.

**If it fails** something could not be measured (the evidence has the remedy: often pg_stat_statements is missing) or an
index is invalid. What is slow or not needed is a warning: the run stays green, and the report has it. Nothing is left
behind. The first run has no week to look back on and says so; clear or trigger it again at any time.
"""

from airflow.sdk import DAG

from docrag_ops.entry import scheduled_entry
from docrag_ops.operators.checks import CheckOperator
from docrag_ops.operators.report import ReportOperator

with DAG(
    dag_id="weekly_performance_review",
    schedule="0 6 * * 0",
    doc_md=__doc__,
    tags=["weekly", "performance", "reads"],
    **scheduled_entry(),
):
    review_queries = CheckOperator(task_id="review_queries", area="queries")
    review_indexes = CheckOperator(task_id="review_indexes", area="indexes")
    review_cache_use = CheckOperator(task_id="review_cache_use", area="cache_use")
    review_routes = CheckOperator(task_id="review_routes", area="routes")
    report = ReportOperator(task_id="report")

    [review_queries, review_indexes, review_cache_use, review_routes] >> report
