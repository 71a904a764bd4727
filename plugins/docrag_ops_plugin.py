"""What this project adds to Airflow. Every task process imports this file: it has to stay light."""

from airflow.plugins_manager import AirflowPlugin

from docrag_ops import listener, ui


class DocRagOpsPlugin(AirflowPlugin):
    """The listener that keeps an alarm of every failed run and import error, and the report tab of every run."""

    name = "docrag_ops"
    listeners = [listener]  # noqa: RUF012 (Airflow's own way)
    fastapi_apps = [ui.FASTAPI_APP]  # noqa: RUF012
    external_views = [ui.REPORT_TAB]  # noqa: RUF012
