"""What the scheduler imports ahead of its tasks, in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from docrag_ops import preload
from docrag_ops.core.checks import parse_checks
from docrag_ops.core.environments import parse_environment
from docrag_ops.core.rendering import compiled

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


def test_definitions_are_parsed_ahead_and_a_bad_one_is_left_to_its_task(tmp_path: Path, monkeypatch):
    from docrag_ops.hooks import include

    shutil.copytree(include.INCLUDE, tmp_path / "include")
    bad = tmp_path / "include/environments/bad.yaml"
    bad.write_text("{not: [yaml")
    monkeypatch.setattr(preload, "_our_modules", list)
    monkeypatch.setattr(include, "IncludeFolder", partial(include.IncludeFolder, tmp_path / "include"))
    parse_checks.cache_clear()
    parse_environment.cache_clear()
    compiled.cache_clear()
    assert preload.preload(["airflow", "scheduler"])
    assert parse_environment.cache_info().currsize == 1
    assert compiled.cache_info().currsize == len(preload.TEXTS)
    parsed = parse_checks.cache_info()
    include.IncludeFolder().environment("docrag-prod")
    assert parse_checks.cache_info().misses == parsed.misses > 10
