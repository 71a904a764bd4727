"""The routes of a week in a real Prometheus, held against numbers that were worked out by hand.

The past is that of known_past.py; now is 9 June 00:00, the week began on 2 June. 1 June is the week before: of 86,400
requests none failed. The week has 144 hours of 3,600 requests, less half an hour of the outage, and 720 of 8 June:
517,320. Those of the gap are among them: counters that Prometheus did not see went on. Failed: 1,800 of the
incident, and one on 8 June.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from docrag_ops.core.results import AreaResult
from docrag_ops.hooks.chart_records import ChartRecords
from docrag_ops.hooks.history import RunKey
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.metrics import MetricsHook
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.checks import CheckOperator
from tests.databases import known_past
from tests.databases.known_past import june
from tests.sandbox import connections, processes
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
ALL, FAILED = 517_320, 1_801
RUN = RunKey(environment="docrag-prod", entry="weekly_performance_review", run_id="by-hand")


@pytest.fixture(scope="module")
def past(servers: Settings) -> Iterator[Settings]:
    known_past.start(servers)
    yield servers
    processes.stop(servers, "prometheus")


@pytest.fixture
def result(past: Settings, monkeypatch: pytest.MonkeyPatch) -> AreaResult:
    known = connections.connections(past)
    for name in ("docrag_history", "docrag_prometheus"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(known[name]))
    ask = MetricsHook._data
    at = {"time": str(june(9).timestamp())}  # instant queries are about now, which is not June

    def ask_in_june(hook: MetricsHook, path: str, form: dict[str, str], **more: Any) -> Any:
        return ask(hook, path, {**form, **at} if path == "/api/v1/query" else form, **more)

    monkeypatch.setattr(MetricsHook, "_data", ask_in_june)
    include = IncludeFolder()
    asking = Asking(
        environment=include.environment("docrag-prod"),
        include=include,
        run=RUN,
        now=june(9),
        task_instance=None,
    )
    return CheckOperator(task_id="review_routes", area="routes").measure(asking)


def values(result: AreaResult) -> dict[str, tuple[str, float | None]]:
    return {one.check: (one.subject, one.value) for one in result.findings}


def test_probes_are_no_route(result: AreaResult):
    assert {subject for check, (subject, _) in values(result).items() if check != "route_charts_kept"} == {
        "/query"
    }


def test_share_that_failed_is_of_the_week(result: AreaResult):
    found = values(result)
    assert found["route_error_ratio"][1] == pytest.approx(FAILED / ALL, rel=1e-3)
    assert found["route_errors_more"][1] == pytest.approx(FAILED / ALL, rel=1e-3)


def test_p95_and_its_change_are_those_of_the_buckets(result: AreaResult):
    """On 1 June 90 % within 0.1 s and 97 % within 0.5 s: a line between them meets 95 % at 0.1 + 0.4 x 5/7.

    Of the week 7,200 requests were slow: (0.9 x 510,120) and (0.97 x 510,120 + 0.5 x 7,200) within the bounds.
    """
    first = 0.1 + 0.4 * 5 / 7
    within = (0.9 * 510_120, 0.97 * 510_120 + 0.5 * 7_200)
    week = 0.1 + 0.4 * (0.95 * ALL - within[0]) / (within[1] - within[0])
    found = values(result)
    assert found["route_p95"][1] == pytest.approx(week, rel=1e-3)
    assert found["route_p95_change"][1] == pytest.approx(week / first, rel=1e-3)


def test_charts_of_the_run_are_kept_with_the_gap_and_the_incident(result: AreaResult):
    charts = {one.kind: one for one in ChartRecords().of_run(entry=RUN.entry, run_id=RUN.run_id)}
    assert list(charts) == ["requests", "p95", "p99", "error_ratio"]
    hours = 5 * 24 - 1  # of the hour that ends on 7 June 00:00; the first ends on 2 June 01:00
    assert charts["requests"].this_week[hours + 12] is None
    assert charts["requests"].this_week[10] == pytest.approx(3600, rel=0.01)
    assert charts["error_ratio"].this_week[3 * 24 + 12] == pytest.approx(0.25, rel=0.01)
    assert charts["requests"].week_before[0] is None
    assert charts["requests"].week_before[-2] == pytest.approx(3600, rel=0.01)
