"""The report task decides the run."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from docrag_ops.core.findings import NotJudged
from docrag_ops.core.own_findings import alertmanager_not_told
from docrag_ops.core.results import AreaResult
from docrag_ops.core.verdicts import Verdict
from docrag_ops.operators.alerts import Told
from docrag_ops.operators.report import ReportOperator
from tests.core.making import finding
from tests.operators.conftest import TaskInstance, context_of


class Kept:
    """A history that takes the report."""

    def __getattr__(self, name: str):
        return lambda *_, **__: []


@pytest.fixture
def history_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docrag_ops.hooks.history.HistoryHook", Kept)
    monkeypatch.setattr("docrag_ops.hooks.change_records.ChangeRecords", Kept)


@pytest.fixture
def nothing_recorded(monkeypatch: pytest.MonkeyPatch, history_down: None) -> None:
    from tests.operators.conftest import LostHistory

    monkeypatch.setattr("docrag_ops.hooks.change_records.ChangeRecords", LostHistory)


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alertmanager took everything, and has silenced nothing."""
    monkeypatch.setattr("docrag_ops.operators.alerts.tell_alertmanager", lambda *_, **__: Told(silences=[]))


def area_of(*findings, not_judged=()) -> dict:
    return AreaResult(area="redis", findings=findings, not_judged=not_judged).to_dict()


GOOD = area_of(finding("redis_ping", verdict=Verdict.OK))
BAD = area_of(finding("redis_ping", evidence="refused"))
SKIPPED = area_of(not_judged=(NotJudged(check="x", subject="all", reason="not here"),))


def run(pulled: dict, **states: str) -> tuple[dict, str]:
    """The result that is handed on, and the error's text."""
    ti = TaskInstance(pulled=pulled, states=states)
    report = ReportOperator(task_id="report")
    report.upstream_task_ids |= set(states)
    try:
        report.execute(context_of(ti))
    except AirflowFailException as error:
        return ti.pushed["return_value"], str(error)
    return ti.pushed["return_value"], ""


@pytest.mark.usefixtures("history_up")
def test_healthy_run_is_green():
    result, error = run({"check_redis": GOOD}, check_redis="success")
    assert (result["verdict"], error) == ("ok", "")


@pytest.mark.usefixtures("history_up")
def test_critical_finding_fails_the_run_after_it_was_handed_on():
    result, error = run({"check_redis": BAD}, check_redis="failed")
    assert result["verdict"] == "critical"
    assert error == "The verdict is critical: redis_ping is critical"


@pytest.mark.usefixtures("history_up")
@pytest.mark.parametrize("state", ["failed", "upstream_failed", "removed", "success", ""])
def test_task_that_left_nothing_is_unknown(state: str):
    result, error = run({"check_redis": GOOD}, check_redis="success", check_qdrant=state)
    assert result["verdict"] == "unknown"
    assert error == "The verdict is unknown: task_left_findings is unknown"


@pytest.mark.usefixtures("history_up")
def test_task_that_failed_though_its_findings_are_good_is_unknown():
    result, _ = run({"check_redis": GOOD}, check_redis="failed")
    assert {one["check"]: one["verdict"] for one in result["findings"]}["task_left_findings"] == "unknown"


@pytest.mark.usefixtures("history_up")
def test_skipped_area_is_no_trouble_beside_a_good_one():
    result, error = run(
        {"check_redis": GOOD, "check_qdrant": SKIPPED}, check_redis="success", check_qdrant="skipped"
    )
    assert (result["verdict"], error) == ("ok", "")


@pytest.mark.usefixtures("history_up")
def test_run_in_which_nothing_was_judged_is_red():
    result, error = run({"check_qdrant": SKIPPED}, check_qdrant="skipped")
    assert result["verdict"] == "unknown"
    assert error


@pytest.mark.usefixtures("history_up")
def test_alertmanager_that_is_not_reached_fails_the_run_and_is_a_finding(monkeypatch: pytest.MonkeyPatch):
    trouble = Told(findings=(alertmanager_not_told("report", reason="connection refused"),))
    monkeypatch.setattr("docrag_ops.operators.alerts.tell_alertmanager", lambda *_, **__: trouble)
    result, error = run({"check_redis": GOOD}, check_redis="success")
    assert result["verdict"] == "unknown"
    assert error == "The verdict is unknown: alertmanager_told is unknown"


@pytest.mark.usefixtures("history_up")
def test_alertmanager_that_is_not_configured_is_said(monkeypatch: pytest.MonkeyPatch):
    said = Told(not_judged=(NotJudged(check="alertmanager_told", subject="report", reason="not configured"),))
    monkeypatch.setattr("docrag_ops.operators.alerts.tell_alertmanager", lambda *_, **__: said)
    result, error = run({"check_redis": GOOD}, check_redis="success")
    assert ([one["check"] for one in result["not_judged"]], error) == (["alertmanager_told"], "")


@pytest.mark.usefixtures("nothing_recorded")
def test_history_that_is_down_fails_the_run_and_says_that_nothing_was_recorded():
    result, error = run({"check_redis": GOOD}, check_redis="success")
    assert error.startswith("Nothing was recorded: The history database (docrag_history) cannot be used")
    assert "history_recorded" in {one["check"] for one in result["findings"]}
