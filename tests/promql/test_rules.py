"""The Prometheus rules that ship: promtool's own tests of them, and the numbers they share with the daily entry."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from docrag_ops.core.service_level.burn import BurnPair, parse_pairs
from docrag_ops.hooks.include import IncludeFolder
from tests.sandbox.programs import program

pytestmark = pytest.mark.sandbox
HERE = Path(__file__).parent
INCLUDE = IncludeFolder()
RULES = INCLUDE.root / "promql/rules/docrag-slo.yaml"
PAIRS = parse_pairs(INCLUDE.text("slo/burn_rates.yaml"), where="include/slo/burn_rates.yaml")
ENVIRONMENT = INCLUDE.environment("docrag-prod")


def run_promtool(test_file: Path, rules: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Test a text of rules with a file of tests, both written to a folder."""
    (folder / "docrag-slo.yaml").write_text(rules)
    (folder / test_file.name).write_text(test_file.read_text())
    command = [program("promtool"), "test", "rules", test_file.name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def seldom(rules: str) -> str:
    return re.sub(r"interval: \w+", "interval: 4m", rules)


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_alerts_of_hours(tmp_path: Path):
    done = run_promtool(HERE / "docrag-slo.test.yaml", RULES.read_text(), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_of_days(tmp_path: Path):
    done = run_promtool(HERE / "docrag-slo-days.test.yaml", seldom(RULES.read_text()), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("and docrag:slo_requests:1h >= 1 / (14.4 * 0.001)", ""),
        ("and docrag:slo_error_ratio:5m > 14.4 * 0.001", ""),
        ('route!~"/healthz|/metrics"', 'route!="/metrics"'),
    ],
)
def test_a_mistake_in_the_rules_is_noticed(right: str, wrong: str, tmp_path: Path):
    rules = RULES.read_text()
    assert right in rules
    done = run_promtool(HERE / "docrag-slo.test.yaml", rules.replace(right, wrong), tmp_path)
    assert done.returncode != 0


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.burn:g}")
def test_alert_has_the_numbers_of_the_daily_entry(pair: BurnPair):
    minutes = {f"{hours}h": hours * 60 for hours in (1, 2, 6)} | {"1d": 1440, "3d": 4320, "5m": 5, "30m": 30}
    [alert] = [one for one in alerts() if minutes.get(one["labels"].get("long")) == pair.long_minutes]
    labels, budget = alert["labels"], 1 - ENVIRONMENT.slo.availability
    long, short, limit = labels["long"], labels["short"], f"{pair.burn:g} * {budget:.4g}"
    assert alert["expr"].split("\n")[:3] == [
        f"docrag:slo_error_ratio:{long} > {limit}",
        f"and docrag:slo_error_ratio:{short} > {limit}",
        f"and docrag:slo_requests:{long} >= 1 / ({limit})",
    ]
    assert (labels["severity"], minutes[short]) == (pair.severity, pair.short_minutes)
    assert (
        minutes.get(alert["for"], 180 if alert["for"] == "3h" else int(alert["for"][:-1]))
        == pair.hold_minutes
    )


def test_rules_count_the_requests_of_the_environment():
    requests = ENVIRONMENT.traffic.variables["requests"]
    expressions = re.findall(r"http_requests_total\{([^}]*)\}", RULES.read_text())
    assert set(expressions) == {requests, f'{requests},status=~"5.."', 'job="api",status!=""'}


def test_every_alert_says_what_to_do():
    for alert in alerts():
        assert {"summary", "description", "runbook"} == set(alert["annotations"])
        assert alert["labels"]["severity"] in ("critical", "warning")


@pytest.mark.parametrize(
    ("label", "query", "answered"),
    [
        ("status", "traffic/error_ratio.promql", 1),
        ("code", "traffic/error_ratio.promql", 0),
        ("status", "slo/requests.promql", 1),
        ("code", "slo/requests.promql", 0),
    ],
)
def test_no_request_is_called_good_that_does_not_say_how_it_ended(
    label: str, query: str, answered: int, tmp_path: Path
):
    variables = {"requests": 'job="api"', "window": "15m"}
    samples = [{"labels": "{}", "value": 1}] * answered
    test = {
        "interval": "1m",
        "input_series": [{"series": f'http_requests_total{{job="api",{label}="200"}}', "values": "0+60x30"}],
        "promql_expr_test": [
            {
                "expr": f"count({INCLUDE.promql(query, variables)})",
                "eval_time": "30m",
                "exp_samples": samples,
            }
        ],
    }
    file = tmp_path / "tests.yaml"
    file.write_text(yaml.safe_dump({"tests": [test]}))
    command = [program("promtool"), "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
