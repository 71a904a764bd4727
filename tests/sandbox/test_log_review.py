"""The review reads what all pods of a workload wrote, on the stand-in cluster."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from docrag_ops.core.environments import Environment, LogsSection
from docrag_ops.core.logs.levels import Level
from docrag_ops.core.logs.review import Review
from docrag_ops.core.measurements import Measurement
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.operators.sources.logs import read_all
from tests.sandbox.cluster_for_tests import PROD, StandIn


@pytest.fixture(autouse=True)
def connected(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "kubernetes", "extra": {"kube_config_path": str(stand_in.kubeconfig)}}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_KUBERNETES", json.dumps(connection))


def environment(workload: str) -> Environment:
    section = LogsSection.model_validate({"containers": [{"workload": workload, "container": workload}]})
    return IncludeFolder().environment("docrag-prod").model_copy(update={"logs": section})


def review_of(workload: str) -> tuple[Review, list[Measurement]]:
    review = Review()
    return review, read_all(ClusterHook(), environment(workload), review, now=datetime.now(UTC))


def stamped(text: str, *, hours: float = 1) -> str:
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%dT%H:%M:%S.%f}000Z {text}\n"


@pytest.fixture
def api_logs(stand_in: StandIn):
    """The log files of all API pods; removed again."""
    paths = [stand_in.folder(stand_in.pod_name("api", n)) / "logs" / "api.log" for n in range(3)]
    yield paths
    for path in paths:
        path.unlink(missing_ok=True)


def test_all_pods_are_read(api_logs: list[Path]):
    for path in api_logs:
        path.write_text(
            stamped('{"level":"info","message":"x"}') * 10 + stamped('{"level":"error","message":"no"}')
        )
    review, problems = review_of("api")
    assert (review.counts[Level.INFO], review.errors, problems) == (30, 3, [])
    (template,) = review.miner.seen()
    assert template.count == 3


def test_lines_before_the_window_are_left_out(api_logs: list[Path]):
    api_logs[0].write_text(stamped("ERROR old", hours=25) + stamped("ERROR new", hours=23))
    review, _ = review_of("api")
    assert (review.errors, review.lines) == (1, 1)


def test_what_a_container_said_before_it_crashed_is_read(trouble):
    with trouble("crash_loop"):
        review, problems = review_of("nginx")
    assert problems == []
    assert [one.pod for one in review.coverage if "(previous run)" in one.pod and one.lines]
    assert [one for one in review.miner.seen() if "host not found in upstream" in one.text]


def test_a_container_that_waits_to_start_has_no_log_and_is_no_problem(trouble):
    with trouble("image_pull"):
        assert review_of("nginx")[1] == []


def test_a_pod_that_cannot_be_asked_is_a_problem(trouble):
    with trouble("node_not_ready"):
        _, problems = review_of("nginx")
    assert problems
    assert all("connection refused" in one.problem for one in problems)


def test_a_log_that_is_rotated_while_it_is_read_is_read_to_its_end(stand_in: StandIn, api_logs: list[Path]):
    path, line = api_logs[0], stamped('{"level":"info","message":"' + "x" * 200 + '"}')
    path.write_text(line * 50_000)
    pod = PodName(PROD, stand_in.pod_name("api", 0))
    pieces = ClusterHook().stream_logs(pod, "api", since_seconds=86_400)
    review, first = Review(), next(pieces)

    def rest():
        yield first
        path.rename(path.with_suffix(".log.1"))
        path.write_text(stamped("ERROR in the next file"))
        yield from pieces

    review.read("api", rest())
    path.with_suffix(".log.1").unlink()
    assert review.counts == {Level.INFO: 50_000}
