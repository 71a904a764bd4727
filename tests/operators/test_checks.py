"""The check task: findings are handed on, then it is as red as they are bad."""

import math

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from docrag_ops.core.measurements import Measured, Measurement
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators import asking
from docrag_ops.operators.checks import CheckOperator, _worth_keeping
from tests.asking import asking_for
from tests.core.making import check, judged
from tests.operators.conftest import TaskInstance, context_of
from tests.operators.test_asking import FINE, environment

pytestmark = pytest.mark.usefixtures("history_down")


@pytest.fixture
def redis_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis whose every number is 0: well, as far as one can see."""
    monkeypatch.setattr(asking, "_ask_source", lambda source, checks, _: {one.name: FINE for one in checks})


def run(area: str = "redis") -> tuple[TaskInstance, type[Exception] | None, str]:
    ti = TaskInstance()
    try:
        CheckOperator(task_id=f"check_{area}", area=area).execute(context_of(ti))
    except (AirflowFailException, AirflowSkipException) as error:
        return ti, type(error), str(error)
    return ti, None, ""


def verdicts(ti: TaskInstance) -> dict[str, str]:
    return {one["check"]: one["verdict"] for one in ti.pushed["return_value"]["findings"]}


@pytest.mark.usefixtures("redis_answers")
def test_history_that_is_down_leaves_what_needs_no_past_judged():
    ti, _, _ = run()
    assert verdicts(ti)["redis_ping"] == "ok"


@pytest.mark.usefixtures("redis_answers")
def test_history_that_is_down_makes_comparisons_unknown():
    comparing = {one.name for one in IncludeFolder().checks("redis") if one.reading != "value"}
    found = verdicts(run()[0])
    assert {found[name] for name in comparing} == {"unknown"}


@pytest.mark.usefixtures("redis_answers")
def test_history_that_is_down_is_a_finding_and_red():
    ti, error, text = run()
    assert verdicts(ti)["history_recorded"] == "unknown"
    assert error is AirflowFailException
    assert "history_recorded is unknown" in text


def test_missing_connection_hands_on_findings_before_it_fails():
    ti, error, _ = run()
    assert error is AirflowFailException
    assert set(verdicts(ti).values()) == {"unknown"}


def test_area_that_the_environment_does_not_have_is_skipped(monkeypatch: pytest.MonkeyPatch):
    without = environment(qdrant=None)
    monkeypatch.setattr(IncludeFolder, "environment", lambda self, name: without)
    ti, error, text = run("qdrant")
    assert error is AirflowSkipException
    assert "has no section 'qdrant'" in text
    assert ti.pushed["return_value"]["findings"] == []


def test_area_that_does_not_exist_here_asks_nobody():
    without = environment(redis=None)
    result = CheckOperator(task_id="check_redis", area="redis").measure(asking_for("1", environment=without))
    assert (result.findings, len(result.not_judged)) == ((), len(IncludeFolder().checks("redis")))


def test_many_plain_values_are_kept_as_bad_and_extreme_ones():
    values = [Measurement(subject=str(n), value=n / 1000) for n in range(1000)]
    of = check(unit="ratio", warning=0.995)
    kept = _worth_keeping(of, judged(of, _measured(values)))
    assert {one.subject for one, _ in kept} == {"0", "996", "997", "998", "999"}


def test_counters_are_all_kept():
    of = check(reading="increase", warning=0)
    values = [Measurement(subject=str(n), value=n) for n in range(1000)]
    assert len(_worth_keeping(of, judged(of, _measured(values)))) == 1000


def test_what_is_no_number_is_not_kept_as_a_past():
    of = check(reading="increase", warning=0)
    values = [Measurement(subject="a", problem="lost"), Measurement(subject="b", value=math.nan)]
    assert list(_worth_keeping(of, judged(of, _measured(values)))) == []


def _measured(values: list[Measurement]) -> Measured:
    return Measured(tuple(values))
