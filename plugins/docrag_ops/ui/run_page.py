"""The page of one run: what it found, what it changed, and how each number went over past runs."""

from __future__ import annotations

from docrag_ops.core.errors import UnreachableError
from docrag_ops.core.rendering import render_page
from docrag_ops.hooks.change_records import ChangeRecords
from docrag_ops.hooks.chart_records import ChartRecords
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.report_records import ReportRecords

TEMPLATE = "reports/run.html.j2"
MESSAGE_TEMPLATE = "reports/no_run.html.j2"
TREND_RUNS = 30


def run_page(dag_id: str, run_id: str) -> tuple[int, str]:
    """HTTP status and HTML. A history that cannot be read, or a run without a report, is said in the page."""
    include = IncludeFolder()
    try:
        report = ReportRecords().find(entry=dag_id, run_id=run_id)
        changes = ChangeRecords().of_run(entry=dag_id, run_id=run_id)
        charts = ChartRecords().of_run(entry=dag_id, run_id=run_id)
        trends = ReportRecords().trends(report, runs=TREND_RUNS) if report else {}
    except UnreachableError as error:
        page = render_page(include.text(MESSAGE_TEMPLATE), dag_id=dag_id, run_id=run_id, message=str(error))
        return 503, page
    if report is None and not changes:
        message = "This run has recorded no report (yet). The log of its red task says more."
        return 200, render_page(include.text(MESSAGE_TEMPLATE), dag_id=dag_id, run_id=run_id, message=message)
    page = render_page(
        include.text(TEMPLATE),
        dag_id=dag_id,
        run_id=run_id,
        report=report,
        changes=changes,
        charts=charts,
        trends=trends,
    )
    return 200, page
