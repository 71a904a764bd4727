"""dag_load: what it costs the DAG processor to load dags/, against as many DAGs that do nothing.

CPU seconds (user and system) of a fresh Python process that imports Airflow and fills a DagBag.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.figures import Figure, compare

NAME, GOAL = "dag_load", 1.15
ROUNDS = 7
ROOT = Path(__file__).parents[2]

LOAD = """
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
if bag.import_errors or len(bag.dags) != int(sys.argv[2]):
    sys.exit(f"{len(bag.dags)} DAGs instead of {sys.argv[2]}; errors: {bag.import_errors}")
"""

EMPTY_DAG = '''"""Does nothing (airflow)."""
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

with DAG("empty_{number}", schedule="0 9 * * *"):
    EmptyOperator(task_id="first") >> EmptyOperator(task_id="second") >> EmptyOperator(task_id="third")
'''


def measure() -> Figure:
    count = len(list((ROOT / "dags").glob("*.py")))
    with tempfile.TemporaryDirectory(prefix="docrag-bench-") as folder:
        empty = Path(folder) / "dags"
        empty.mkdir()
        for number in range(count):
            (empty / f"empty_{number}.py").write_text(EMPTY_DAG.format(number=number))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")},
            "AIRFLOW_HOME": folder,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an operator's machine keeps what it compiled
        return compare(
            NAME,
            GOAL,
            ours=lambda: cpu_seconds(ROOT / "dags", count, environment),
            theirs=lambda: cpu_seconds(empty, count, environment),
            rounds=ROUNDS,
            unit="cpu_seconds",
            also={"dags": count},
        )


def cpu_seconds(folder: Path, count: int, environment: dict[str, str]) -> float:
    command = [sys.executable, "-c", LOAD, str(folder), str(count)]
    child = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"Loading {folder} failed with exit code {child.returncode}; its error is above")
    return used.ru_utime + used.ru_stime
