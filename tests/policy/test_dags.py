"""The real DAGs: found, loaded, and held to every rule."""

import ast
import re
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from docrag_ops.hooks.schedules import schedules
from tests.policy.dag_rules import RULES

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
MAY_IMPORT = ("airflow.sdk", "airflow.providers.standard", "docrag_ops.entry", "docrag_ops.operators")
MOST_LINES = 80
README = (ROOT / "README.md").read_text()
ROW = re.compile(r"\| `(\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$")
QUESTION = re.compile(r"^\*\*Question\.\*\* ([^?]+\?)", re.MULTILINE)


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    bag = DagBag(str(ROOT / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_every_file_is_one_dag(dags):
    assert sorted(dags) == [path.stem for path in FILES]
    assert dags, "no DAG at all was found"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_dag(rule, dags):
    assert {name: wrong for name, dag in dags.items() if (wrong := list(rule(dag)))} == {}


def test_schedules_that_are_read_from_the_files_are_those_of_the_dags(dags):
    read = {one.entry: one for one in schedules(ROOT / "dags")}
    assert {name: one.cron for name, one in read.items()} == {
        name: str(dag.schedule or "") for name, dag in dags.items()
    }
    late = {name: dag.deadline[0].interval for name, dag in dags.items() if dag.deadline}
    assert {name: read[name].late_after for name in late} == late
    reports = {
        name: any(type(t).__name__ == "ReportOperator" for t in dag.tasks) for name, dag in dags.items()
    }
    assert {name: one.reports for name, one in read.items()} == reports


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_dag_file_reads_like_a_runbook(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)], "logic"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_dag_file_uses_operators_only(path):
    tree = ast.walk(ast.parse(path.read_text()))
    modules = [node.module or "" for node in tree if isinstance(node, ast.ImportFrom)]
    assert [name for name in modules if "." in name and not name.startswith(MAY_IMPORT)] == []


def test_readme_has_a_line_for_every_entry(dags):
    """Each with the question of its runbook, and whether it changes anything."""
    lines = {row[1]: row for line in README.splitlines() if (row := ROW.match(line))}
    questions = {name: QUESTION.search(dag.doc_md) for name, dag in dags.items()}
    wanted = {
        name: (" ".join(question[1].split()), "reads" in dags[name].tags)
        for name, question in questions.items()
        if question
    }
    assert {name: (row[2], row[3] == "no") for name, row in lines.items()} == wanted
