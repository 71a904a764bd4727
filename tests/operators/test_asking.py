"""A source that fails leaves the others standing."""

import logging

import pytest

from docrag_ops.core.environments import Environment
from docrag_ops.core.errors import CouldNotMeasureError, DefinitionError, UnreachableError
from docrag_ops.core.measurements import Exempt, Measured, Measurement, NotConfigured, Unmeasured
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators.asking import answer_each, ask_all
from tests.asking import asking_for
from tests.core.making import check

CHECKS = [check(name=name) for name in ("one", "two", "three")]
FINE = Measured((Measurement(subject="x", value=0),))


def answers_with(**outcomes):
    def ask(of):
        outcome = outcomes.get(of.name, FINE)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return answer_each(CHECKS, ask)


def test_question_that_fails_leaves_the_others_standing():
    answers = answers_with(one=CouldNotMeasureError("the query is broken"))
    assert answers == {"one": Unmeasured("the query is broken"), "two": FINE, "three": FINE}


def test_system_that_does_not_answer_is_not_asked_again():
    answers = answers_with(two=UnreachableError("nobody there"), three=AssertionError("was asked"))
    assert answers["one"] == FINE
    assert [answers[name].reason for name in ("two", "three")] == ["nobody there", "nobody there"]


def test_surprise_is_unknown_and_logged(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        answers = answers_with(two=ZeroDivisionError("division by zero"))
    assert answers["two"].reason.startswith("unexpected ZeroDivisionError: division by zero")
    assert answers["three"] == FINE
    assert "Traceback" in caplog.text


def test_mistake_below_include_stops_everything():
    with pytest.raises(DefinitionError):
        answers_with(two=DefinitionError("a file is wrong"))


def environment(**changes) -> Environment:
    plain = IncludeFolder().environment("docrag-prod").model_dump(exclude_unset=True)
    return Environment.model_validate({**plain, **changes})


def ask_area(area: str, **changes):
    return ask_all(IncludeFolder().checks(area), asking_for("1", environment=environment(**changes)))


def test_exempt_check_is_not_asked_and_says_why(monkeypatch: pytest.MonkeyPatch):
    exempt = {one.name: "not here" for one in IncludeFolder().checks("redis")}
    assert set(ask_area("redis", exempt=exempt).values()) == {Exempt("not here")}


@pytest.mark.parametrize("area", ["cluster", "service", "postgres", "redis", "qdrant", "storage", "traffic"])
def test_connection_that_does_not_exist_is_named_with_what_to_do(area: str):
    reasons = {outcome.reason for outcome in ask_area(area).values() if isinstance(outcome, Unmeasured)}
    assert len(reasons) in (1, 2)
    for reason in reasons:
        assert "docrag_" in reason
        assert "Create it in Airflow under Admin, Connections" in reason


def test_environment_without_traffic_has_no_prometheus_to_ask():
    answers = ask_area("storage", traffic=None, slo=None)
    assert isinstance(answers["claim_space_free"], NotConfigured)
