"""Two weeks by the hour."""

from datetime import UTC, datetime

from docrag_ops.core.performance.charts import WEEK_HOURS, ChartKind, chart_lines, chart_of, coverage

END = datetime(2026, 11, 22, 6, tzinfo=UTC)
KIND = ChartKind(name="p95", title="p95", unit="seconds", promql="x.promql")


def hours_ago(*hours: int) -> dict[int, float]:
    return {int(END.timestamp()) - hour * 3600: 1.0 for hour in hours}


def test_last_hour_of_the_week_before_is_beside_the_first_of_this_week():
    chart = chart_of(KIND, "/query", hours_ago(0, WEEK_HOURS - 1, WEEK_HOURS, 2 * WEEK_HOURS - 1), end=END)
    assert [place for place, value in enumerate(chart.this_week) if value] == [0, WEEK_HOURS - 1]
    assert [place for place, value in enumerate(chart.week_before) if value] == [0, WEEK_HOURS - 1]


def test_hole_is_not_covered_and_a_young_past_is_not_judged():
    whole = chart_of(KIND, "/query", hours_ago(*range(2 * WEEK_HOURS)), end=END)
    half = chart_of(KIND, "/query", hours_ago(*range(0, 2 * WEEK_HOURS, 2)), end=END)
    young = chart_of(KIND, "/query", hours_ago(*range(24)), end=END)
    assert (coverage([half, whole]).value, coverage([half]).value) == (1, 0.5)
    assert coverage([young]).not_judged == "needs 7 days, has 1.0"


def test_chart_of_nothing_but_zeros_is_a_line_at_the_bottom():
    assert chart_lines([0, 0], 0) == ["2.0,78.0 298.0,78.0"]
