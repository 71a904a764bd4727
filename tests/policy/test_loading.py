"""What loading DAG files and plugins costs, and that Airflow's plugin scan leaves the package alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "kubernetes",
    "psycopg",
    "sqlalchemy.orm",
    "requests",
    "redis",
    "fastapi",
    "alembic",
    "aiohttp",
    "apprise",
)

LOADED_WHILE_PARSING = """
import builtins, importlib.util, json, sys
from pathlib import Path
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, BaseOperator, Param, TriggerRule

before, asked, real_import = set(sys.modules), set(), builtins.__import__

def noting_import(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {}).get("__name__", "")
    if importer.split(".")[0] in ("docrag_ops", "a_dag_file"):
        asked.update({name, *(f"{name}.{part}" for part in fromlist or ())})
    return real_import(name, globals, locals, fromlist, level)

builtins.__import__ = noting_import
for path in map(Path, sys.argv[1:]):
    spec = importlib.util.spec_from_file_location("a_dag_file", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(json.dumps(sorted(asked | set(sys.modules) - before)))
"""

PLUGINS = """
import json, sys
from airflow import plugins_manager
plugins_manager.ensure_plugins_loaded()
files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
print(json.dumps({"errors": plugins_manager.get_import_errors(), "files": files}))
"""


def python(script: str, *arguments: str, environment: dict[str, str]) -> object:
    """The JSON on the last line that a fresh Python process prints."""
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}


def test_loading_the_dags_imports_nothing_heavy(environment):
    files = [str(path) for path in sorted((ROOT / "dags").glob("*.py"))]
    loaded = python(LOADED_WHILE_PARSING, *files, environment=environment)
    assert "docrag_ops" in {name.split(".")[0] for name in loaded}, "the DAG files were not really loaded"
    assert [
        name for name in loaded if name.startswith(tuple(f"{heavy}." for heavy in HEAVY)) or name in HEAVY
    ] == []


def test_plugin_scan_does_not_run_the_package(environment):
    found = python(PLUGINS, environment=environment)
    package = str(ROOT / "plugins/docrag_ops") + "/"
    assert found["errors"] == {}
    strays = {name for name, file in found["files"].items() if file.startswith(package)}
    assert {name for name in strays if name.split(".")[0] != "docrag_ops"} == set()


def test_plugin_scan_would_run_the_package_without_the_ignore_file(environment, tmp_path):
    """The exit condition of plugins/.airflowignore: when this fails, Airflow stopped scanning packages."""
    (tmp_path / "docrag_ops").mkdir()
    (tmp_path / "docrag_ops/some_check.py").write_text("")
    found = python(PLUGINS, environment={**environment, "AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path)})
    assert "some_check" in found["files"]
