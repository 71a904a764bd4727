"""Prometheus on bad days: never an answer that could pass for health."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.alert_rules import AlertRule
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.hooks.metrics import MetricsHook, RangeSeries, Series
from tests.hooks.bad_servers import HTML, NO_ANSWER, answers, port_that_refuses, serving


def vector(*values: str, **more) -> dict:
    result = [{"metric": {"job": "api"}, "value": [1795446849.0, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}, **more}


def ask(connection, body, *, status: int = 200) -> list[Series]:
    with serving(answers(status, body)) as server:
        connection("docrag_prometheus", port=server.port)
        return MetricsHook().query("up")


def error_of(connection, body, *, status: int = 200) -> str:
    with pytest.raises(CouldNotMeasureError) as caught:
        ask(connection, body, status=status)
    return str(caught.value)


def test_vector_is_its_series(connection):
    assert ask(connection, vector("0.25")) == [Series({"job": "api"}, 0.25)]


def test_nothing_is_an_empty_list(connection):
    assert ask(connection, vector()) == []


def test_nan_and_infinity_are_handed_on_for_the_judge_to_see(connection):
    values = [one.value for one in ask(connection, vector("NaN", "+Inf", "-Inf"))]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf]


def test_refused_query_is_told_in_prometheus_words(connection):
    body = {"status": "error", "errorType": "bad_data", "error": "1:5: parse error: unexpected end of input"}
    assert "refused the query (bad_data: 1:5: parse error" in error_of(connection, body, status=400)


def test_query_that_took_too_long_is_told_in_prometheus_words(connection):
    body = {"status": "error", "errorType": "timeout", "error": "query timed out in expression evaluation"}
    assert "query timed out" in error_of(connection, body, status=503)


def test_warning_means_that_data_is_missing(connection):
    body = vector("0", warnings=["no store matched"])
    assert "warns that its answer is not whole: no store matched" in error_of(connection, body)


def test_notes_about_a_query_are_no_warnings(connection):
    noted = vector(
        "0", infos=["PromQL info: metric might not be a counter"], warnings=["PromQL info: the same"]
    )
    assert len(ask(connection, noted)) == 1


@pytest.mark.parametrize(
    "body",
    [
        HTML,
        "",
        "null",
        [],
        "42",
        {"status": "success"},
        {"status": "success", "data": None},
        {"status": "success", "data": {"resultType": "scalar", "result": [1795446849.0, "1"]}},
        {"status": "success", "data": {"resultType": "matrix", "result": []}},
        {"status": "success", "data": {"resultType": "vector", "result": None}},
        {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}}]}},
        {
            "status": "success",
            "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "much"]}]},
        },
        {"status": "success", "data": {"resultType": "vector", "result": ["x"]}},
    ],
)
def test_answer_of_another_shape_is_no_measurement(connection, body):
    assert error_of(connection, body).startswith("Prometheus at http://127.0.0.1:")


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_prometheus_that_does_not_answer_is_unreachable(connection, behaviour):
    with serving(behaviour) as server:
        connection("docrag_prometheus", port=server.port)
        with pytest.raises(UnreachableError, match=r"Prometheus at .* \(docrag_prometheus\) did not answer"):
            MetricsHook().query("up")


def test_prometheus_that_is_down_is_unreachable(connection):
    connection("docrag_prometheus", port=port_that_refuses())
    with pytest.raises(UnreachableError, match="Connection refused"):
        MetricsHook().query("up")


def matrix(*values: str) -> dict:
    result = [
        {"metric": {"part": "valid"}, "values": [[1795446840 + i * 60, v] for i, v in enumerate(values)]}
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def ask_range(connection, body, *, minutes: int = 3, step_seconds: int = 60) -> list[RangeSeries]:
    start = datetime.fromtimestamp(1795446840, UTC)
    with serving(answers(200, body)) as server:
        connection("docrag_prometheus", port=server.port)
        end = start + timedelta(minutes=minutes)
        return MetricsHook().query_range("up", start=start, end=end, step_seconds=step_seconds)


def test_range_is_its_points_without_what_is_no_number(connection):
    points = {1795446840: 1.0, 1795447020: 3.0}
    assert ask_range(connection, matrix("1", "NaN", "+Inf", "3")) == [RangeSeries({"part": "valid"}, points)]


def test_range_without_a_series_is_empty(connection):
    body = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    assert ask_range(connection, body) == []


@pytest.mark.parametrize(
    "body",
    [
        vector("1"),
        {"status": "success", "data": {"resultType": "matrix", "result": None}},
        {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}}]}},
        {
            "status": "success",
            "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [["x"]]}]},
        },
    ],
)
def test_range_of_another_shape_is_no_measurement(connection, body):
    with pytest.raises(CouldNotMeasureError, match=r"^Prometheus at http://127.0.0.1:"):
        ask_range(connection, body)


@pytest.mark.parametrize("minutes", [-1, 11_000])
def test_range_that_prometheus_would_refuse_is_not_asked(connection, minutes: int):
    with pytest.raises(ValueError, match="expected 0 to 11,000 points"):
        ask_range(connection, matrix("1"), minutes=minutes)


def rules_of(connection, body, *, status: int = 200) -> list[AlertRule] | None:
    with serving(answers(status, body)) as server:
        connection("docrag_prometheus", port=server.port)
        return MetricsHook().alert_rules()


def groups(*rules) -> dict:
    return {"status": "success", "data": {"groups": [{"name": "disks", "rules": list(rules)}]}}


def test_rules_that_record_are_no_alerting_rules(connection):
    fills_up = {"name": "DiskFillsUp", "type": "alerting", "health": "err", "lastError": "no such label"}
    recorded = {"name": "disk:used", "type": "recording", "health": "ok"}
    known = rules_of(connection, groups(fills_up, recorded))
    assert known == [AlertRule("disks", "DiskFillsUp", "err", "no such label")]


def test_no_group_is_no_rule(connection):
    assert rules_of(connection, {"status": "success", "data": {"groups": []}}) == []


@pytest.mark.parametrize("status", [403, 404, 405])
def test_rules_that_are_not_served_are_not_none_at_all(connection, status: int):
    assert rules_of(connection, "404 page not found", status=status) is None


@pytest.mark.parametrize(
    "body",
    [
        HTML,
        vector(),
        {"status": "success", "data": {"groups": ["x"]}},
        {"status": "success", "data": {"groups": [{"name": "disks", "rules": [{"name": "DiskFillsUp"}]}]}},
        {**groups(), "warnings": ["a ruler did not answer"]},
    ],
)
def test_rules_of_another_shape_are_no_measurement(connection, body):
    with pytest.raises(CouldNotMeasureError, match=r"^Prometheus at http://127.0.0.1:"):
        rules_of(connection, body)
