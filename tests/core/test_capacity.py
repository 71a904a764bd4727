"""The day's figures of a series."""

import math
from datetime import date

import pytest
import yaml

from docrag_ops.core.capacity import CapacitySeries, figures, parse_series
from docrag_ops.core.errors import DefinitionError
from docrag_ops.hooks.include import IncludeFolder

SERIES = {"name": "memory_used", "what": "memory", "subject": "a container", "unit": "bytes"}
DAY = date(2026, 6, 1)


def parse(**keys):
    text = yaml.safe_dump({"series": [{**SERIES, **keys}]})
    return parse_series(text, where="include/capacity/series.yaml")


def test_figures_of_a_day():
    [series] = parse(promql="capacity/memory_used.promql")
    found = figures(series, "api", DAY, [float(number) for number in range(1, 102)])
    assert (found.mean, found.p50, found.p95, found.max, found.count) == (51, 51, 96, 101, 101)


def test_what_is_no_number_is_left_out():
    [series] = parse(promql="capacity/memory_used.promql")
    assert figures(series, "api", DAY, [1.0, math.nan, math.inf]).count == 1
    assert figures(series, "api", DAY, [math.nan]) is None


@pytest.mark.parametrize("keys", [{}, {"promql": "a", "check": "b"}])
def test_series_has_one_origin(keys: dict[str, str]):
    with pytest.raises(DefinitionError, match="expected exactly one of 'promql' "):
        parse(**keys)


def shipped() -> tuple[CapacitySeries, ...]:
    return parse_series(IncludeFolder().text("capacity/series.yaml"), where="include/capacity/series.yaml")


def test_shipped_series_have_their_query_or_their_check():
    include = IncludeFolder()
    checks = {check.name for found in include.all_checks().values() for check in found}
    variables = include.environment("docrag-prod").traffic.variables
    assert {one.check for one in shipped() if one.check} <= checks
    assert all(include.promql(one.promql, variables) for one in shipped() if one.promql)
    assert len({one.name for one in shipped()}) == len(shipped())
