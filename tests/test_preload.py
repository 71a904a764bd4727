"""What the scheduler imports ahead of its tasks, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOADED = """
import json, sys
sys.argv = ["airflow", *sys.argv[1:]]
import airflow
print(json.dumps(sorted(sys.modules)))
"""


def modules_of(tmp_path: Path, *arguments: str) -> set[str]:
    """What `airflow ARGUMENTS` has imported once Airflow is set up."""
    (tmp_path / "config").symlink_to(ROOT / "config")
    plugins = str(ROOT / "plugins")
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__PLUGINS_FOLDER": plugins}
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("scheduler", "--skip-serve-logs"), ("celery", "worker")])
def test_what_tasks_are_forked_from_has_imported_what_they_need(tmp_path: Path, arguments: tuple[str, ...]):
    needed = {
        "kubernetes.client",
        "psycopg",
        "docrag_ops.hooks.cluster",
        "docrag_ops.operators.sources.cluster",
    }
    assert needed <= modules_of(tmp_path, *arguments)


@pytest.mark.parametrize("service", ["dag-processor", "api-server", "triggerer"])
def test_other_processes_carry_nothing_around(tmp_path: Path, service: str):
    assert not {"kubernetes.client", "docrag_ops.hooks.cluster"} & modules_of(tmp_path, service)
