"""What this project adds to Airflow. Every task process imports this file: it has to stay light."""

from airflow.plugins_manager import AirflowPlugin

from docrag_ops import listener


class DocRagOpsPlugin(AirflowPlugin):
    """The listener that keeps an alarm of every failed run and import error."""

    name = "docrag_ops"
    listeners = [listener]  # noqa: RUF012 (Airflow's own way)
