"""The queries about traffic, evaluated by promtool on a past that is known."""

import subprocess
from itertools import accumulate
from pathlib import Path

import pytest
import yaml

from docrag_ops.hooks.include import IncludeFolder
from tests.sandbox.programs import program

pytestmark = pytest.mark.sandbox
SAMPLES_PER_DAY = 288  # one every five minutes
MONDAY_TO_SUNDAY = [100, 100, 100, 100, 100, 5, 5]
SATURDAY_TO_FRIDAY = [5, 5, 100, 100, 100, 100, 100]


def evaluates_to(query: str, expected: float | None, requests: list[int], folder: Path) -> None:
    """Evaluate a query at noon of the last day; `requests` in five minutes, a number per day. None: no answer."""
    gains = [one for day in requests for one in [day] * SAMPLES_PER_DAY]
    counter = " ".join(map(str, accumulate(gains)))
    text = IncludeFolder().promql(query, {"requests": 'job="api"'})
    test = {
        "interval": "5m",
        "input_series": [{"series": 'http_requests_total{job="api",status="200"}', "values": counter}],
        "promql_expr_test": [
            {
                "expr": f"abs((\n{text}\n) - {expected or 0}) < bool 0.001",
                "eval_time": f"{(len(requests) - 1) * 24 + 12}h",
                "exp_samples": [] if expected is None else [{"labels": "{}", "value": 1}],
            }
        ],
    }
    file = folder / "tests.yaml"
    file.write_text(yaml.safe_dump({"tests": [test]}))
    command = [program("promtool"), "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("requests", "times_usual"),
    [
        pytest.param([*SATURDAY_TO_FRIDAY * 2, 5], 1, id="healthy Saturday"),
        pytest.param([*MONDAY_TO_SUNDAY * 2, 100], 1, id="healthy Monday"),
        pytest.param([*MONDAY_TO_SUNDAY * 2, 40], 0.4, id="Monday that lost 60 %"),
        pytest.param([50, *MONDAY_TO_SUNDAY[1:], 150, *MONDAY_TO_SUNDAY[1:], 100], 1, id="mean of two weeks"),
        pytest.param([*SATURDAY_TO_FRIDAY, 5], 1, id="Prometheus eight days old"),
        pytest.param([60, 50, 150, 50], 0.5, id="Prometheus three days old"),
        pytest.param([100, 50], 0.5, id="Prometheus one day old"),
        pytest.param([100], None, id="Prometheus of today"),
    ],
)
def test_requests_are_compared_with_the_same_weekday(
    requests: list[int], times_usual: float | None, tmp_path: Path
):
    evaluates_to("traffic/request_rate_usual.promql", times_usual, requests, tmp_path)


@pytest.mark.parametrize(
    ("requests", "usual"),
    [
        pytest.param([*SATURDAY_TO_FRIDAY * 2, 5], 30, id="Saturday"),
        pytest.param([*MONDAY_TO_SUNDAY * 2, 40], 600, id="Monday"),
        pytest.param([60, 50, 150, 50], 600, id="Prometheus three days old"),
        pytest.param([100], 0, id="Prometheus of today"),
    ],
)
def test_volume_is_that_of_the_same_weekday(requests: list[int], usual: float, tmp_path: Path):
    evaluates_to("traffic/usual_requests.promql", usual, requests, tmp_path)
