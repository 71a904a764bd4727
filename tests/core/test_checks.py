"""Check records: what is wrong with one is said with file, check, key, value and what was expected."""

import pytest
import yaml

from docrag_ops.core.checks import parse_checks
from docrag_ops.core.errors import DefinitionError

GOOD = {
    "name": "disk_used",
    "question": "How full is the disk?",
    "measure": {"sql": "postgres/x.sql"},
    "limits": {"unit": "ratio", "warning": 0.8, "critical": 0.9, "why": "the field"},
    "remedy": "Make room.",
    "runbook": "runbook_disk_space",
}
WHERE = "include/checks/storage.yaml"


def parse(**changes):
    record = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return parse_text(yaml.safe_dump({"checks": [record]}))


def parse_text(text: str):
    return parse_checks(text, where=WHERE, sources=frozenset({"sql", "promql", "cache"}))


def error_of(**changes) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse(**changes)
    return str(caught.value)


def limits(**changes) -> dict:
    return {name: value for name, value in {**GOOD["limits"], **changes}.items() if value is not None}


def test_whole_record_is_a_check():
    assert parse()[0].name == "disk_used"


def test_unknown_key_is_named_with_those_that_are_known():
    text = error_of(limit={"unit": "ratio"})
    assert text.startswith(f"Key 'limit' of check 'disk_used' in {WHERE} is not known; expected one of: ")
    assert "limits" in text


def test_unknown_key_inside_limits_is_named_with_those_that_are_known():
    assert error_of(limits=limits(warn=0.5)) == (
        f"Key 'limits.warn' of check 'disk_used' in {WHERE} is not known; "
        "expected one of: below, critical, objective, unit, warning, why"
    )


def test_limit_without_a_unit_says_which_units_there_are():
    text = error_of(limits=limits(unit=None))
    assert text.startswith(f"Key 'limits.unit' of check 'disk_used' in {WHERE} is missing; expected ")
    assert "ratio" in text
    assert "seconds" in text


def test_text_instead_of_a_number_is_quoted():
    assert error_of(limits=limits(warning="85%")) == (
        f"Key 'limits.warning' of check 'disk_used' in {WHERE} is '85%'; "
        "expected a number in the limit's unit, e.g. 0.8"
    )


def test_percentage_is_no_ratio():
    assert "limit 'warning' is 85.0; expected a ratio between 0 and 1, e.g. 0.85" in error_of(
        limits=limits(warning=85, critical=90)
    )


def test_limits_in_the_wrong_order_are_refused():
    assert "expected critical to be reached after warning" in error_of(limits=limits(warning=0.95))
    assert "expected critical to be reached after warning" in error_of(limits=limits(below=True))


def test_check_without_any_limit_is_refused():
    text = error_of(limits=limits(warning=None, critical=None))
    assert "neither limit 'warning' nor 'critical' is given" in text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True])
def test_limit_that_is_no_number_is_refused(value: float):
    assert "Key 'limits.critical'" in error_of(limits=limits(critical=value))


def test_reason_for_the_limits_is_required():
    assert f"Key 'limits.why' of check 'disk_used' in {WHERE} is missing" in error_of(limits=limits(why=None))


def test_unknown_source_is_named_with_those_that_are_known():
    assert error_of(measure={"sqll": "x.sql"}) == (
        f"Key 'measure' of check 'disk_used' in {WHERE} names the source 'sqll'; expected one of: cache, promql, sql"
    )


def test_two_sources_are_refused():
    assert "expected exactly one source" in error_of(measure={"sql": "x.sql", "promql": "y.promql"})


def test_record_without_a_name_is_told_by_its_number():
    assert f"Key 'name' of check number 1 in {WHERE} is missing; expected lower-case words" in error_of(
        name=None
    )


def test_every_mistake_of_a_record_is_told():
    assert len(error_of(remedy=None, runbook=None, question=None).splitlines()) == 3


def test_comparison_with_the_usual_needs_a_baseline():
    text = error_of(reading="times_median", limits=limits(unit="times"))
    assert "reading 'times_median' needs the key 'baseline'" in text


def test_rate_needs_a_unit_per_time():
    assert "reading 'rate' needs limits in per_second or per_minute" in error_of(reading="rate")


def test_guard_goes_with_promql_only():
    guard = {"promql": "x.promql", "at_least": 5, "what": "requests"}
    assert "key 'guard' goes with a promql measure only" in error_of(guard=guard)


def test_alerting_rules_go_with_promql_only():
    error = error_of(needs_alerting_rules=True)
    assert "key 'needs_alerting_rules' goes with a promql measure only" in error


@pytest.mark.parametrize(
    "text", ["", "[]", "checks: []", "checks: {}", "checks:\n- a\nother: 1", "just words"]
)
def test_file_of_another_shape_is_refused(text: str):
    with pytest.raises(DefinitionError, match=f"{WHERE} "):
        parse_text(text)


def test_broken_yaml_is_told_with_line_and_column():
    with pytest.raises(DefinitionError, match=r"is not valid YAML: .*line 2, column"):
        parse_text("checks:\n  - {name: a\n")


def test_yaml_cannot_make_objects():
    with pytest.raises(DefinitionError, match="is not valid YAML"):
        parse_text("checks: !!python/object/apply:os.system ['true']")


@pytest.mark.parametrize(("name", "area"), [("disk_used", "x"), ("redis_ping", "x"), ("any", "traffic")])
def test_check_may_cause_itself_those_it_names_and_areas_it_names(name: str, area: str):
    assert parse(causes=["redis_ping", "traffic/*"])[0].may_cause(name, area)


def test_check_causes_nothing_else():
    assert not parse(causes=["redis_ping", "traffic/*"])[0].may_cause("redis_write", "redis")
