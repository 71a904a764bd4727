"""The service's own counter of failures: when it answers 0, and when it answers nothing."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from docrag_ops.hooks.include import IncludeFolder
from tests.sandbox.programs import program

pytestmark = pytest.mark.sandbox
COUNTER = 'auth_failures_total{job="api",instance="%s",reason="expired"}'
TARGET = 'up{job="api",instance="%s"}'
DAYS = 24  # samples, one an hour


def series(name: str, values: str) -> dict[str, str]:
    return {"series": name, "values": values}


def up(instance: str = "new", value: int = 1) -> dict[str, str]:
    return series(TARGET % instance, f"{value}x{16 * DAYS}")


def counted(days: int, step: int = 0, instance: str = "old") -> dict[str, str]:
    """A counter that is there for some days, and then ends as with a pod that is gone."""
    return series(COUNTER % instance, f"5+{step}x{days * DAYS} stale")


def answers(folder: Path, *given: dict[str, str], expected: float | None) -> None:
    """Hold the query's answer after 16 days against what it should be; None is no answer at all."""
    variables = {"auth_failures": 'auth_failures_total{job="api"}'}
    query = IncludeFolder().promql("access/failures.promql", variables)
    samples = [] if expected is None else [{"labels": '{subject="all"}', "value": expected}]
    asked = {"expr": query, "eval_time": "16d", "exp_samples": samples}
    test: dict[str, Any] = {"interval": "1h", "input_series": list(given), "promql_expr_test": [asked]}
    file = folder / "tests.yaml"
    file.write_text(yaml.safe_dump({"tests": [test]}))
    command = [program("promtool"), "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_failures_of_a_day_are_counted(tmp_path: Path):
    answers(tmp_path, up(), counted(20, step=2, instance="new"), expected=48)


def test_counter_that_waits_for_its_first_failure_since_a_release_is_0(tmp_path: Path):
    answers(tmp_path, up(), counted(14), expected=0)


def test_counter_that_never_was_is_nothing(tmp_path: Path):
    answers(tmp_path, up(), expected=None)


def test_counter_that_is_gone_for_longer_than_the_baseline_is_nothing(tmp_path: Path):
    answers(tmp_path, up(), counted(1), expected=None)


@pytest.mark.parametrize("target", [up(value=0), series('up{job="other",instance="new"}', f"1x{16 * DAYS}")])
def test_counter_of_what_is_not_scraped_is_nothing(target: dict[str, str], tmp_path: Path):
    answers(tmp_path, target, counted(14), expected=None)
