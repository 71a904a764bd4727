"""What a review of logs could not see is said, and no error is lost in what it could not read."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.logs.review import Review
from docrag_ops.core.logs.templates import TemplateMiner
from docrag_ops.core.measurements import Measured
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.operators.sources import logs
from tests.asking import asking_for

INFO = "INFO: all is well, " + "x" * 180
Ask = Callable[..., logs.LogReview]


class Pods:
    """One pod whose log begins so many hours ago."""

    def __init__(self, now: datetime, lines: list[str], hours: float) -> None:
        self._began, self._lines = now - timedelta(hours=hours), lines

    def pods_of(self, kind: str, namespace: str, name: str) -> list[tuple[PodName, bool]]:
        return [(PodName(namespace, "api-1"), True)]

    def stream_logs(self, pod: PodName, container: str, *, since_seconds: int, previous: bool) -> list[bytes]:
        stamp = f"{self._began:%Y-%m-%dT%H:%M:%S}.000000000Z"
        return [] if previous else ["".join(f"{stamp} {line}\n" for line in self._lines).encode()]


class Templates:
    """Of an earlier run, which knew none."""

    def earlier(self, run: object, *, runs: int) -> list[object]:
        return []

    def record(self, run: object, review: Review, *, at: datetime) -> None:
        pass


@pytest.fixture
def reviewed(monkeypatch: pytest.MonkeyPatch) -> Ask:
    def review(lines: list[str], *, hours: float = 23.9) -> logs.LogReview:
        asking = asking_for("1")
        monkeypatch.setattr(logs, "LogTemplates", Templates)
        monkeypatch.setattr(logs, "ClusterHook", lambda: Pods(asking.now, lines, hours))
        return logs.LogReview(asking)

    return review


def ask(review: logs.LogReview, name: str) -> Measured:
    check = next(one for one in IncludeFolder().checks("logs") if one.name == name)
    outcome = review.ask(check)
    assert isinstance(outcome, Measured)
    return outcome


def test_long_log_that_begins_in_the_middle_of_the_window_was_rotated(reviewed: Ask):
    [_, missing] = ask(reviewed([INFO] * 5_000, hours=2), "log_lines").measurements
    assert "it serves the newest file of a log only" in missing.not_judged


@pytest.mark.parametrize(("lines", "hours"), [(5_000, 23.9), (100, 2)])
def test_whole_and_short_logs_are_all_there_is(reviewed: Ask, lines: int, hours: float):
    assert len(ask(reviewed([INFO] * lines, hours=hours), "log_lines").measurements) == 1


@pytest.mark.parametrize("name", ["log_errors", "log_errors_usual", "log_new_errors"])
def test_levels_in_a_form_that_is_not_known_are_no_zero(reviewed: Ask, name: str):
    lines = [INFO] * 500 + ["2026-11-23 12:00:00 app.rag ERROR qdrant did not answer"] * 500
    with pytest.raises(CouldNotMeasureError, match="500 of 1,000 entries hold the word of a level"):
        ask(reviewed(lines), name)


def test_errors_of_too_many_kinds_are_a_problem(reviewed: Ask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "Review", lambda: Review(miner=TemplateMiner(most=1)))
    [*_, before] = ask(reviewed(["ERROR: one", "ERROR: two of them"]), "log_new_errors").measurements
    assert "1 error lines are of too many kinds" in before.problem
