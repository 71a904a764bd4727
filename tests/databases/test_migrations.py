"""The migrations make the tables that the code knows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.connections import connections
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
ROOT = Path(__file__).parents[2]


def test_migrated_tables_are_those_of_the_code(servers: Settings):
    known = json.dumps(connections(servers)["docrag_history"])
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "plugins"), "AIRFLOW_CONN_DOCRAG_HISTORY": known}
    command = [sys.executable, "-m", "docrag_ops.migrate", "check"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
