"""Logs come from the pods' files, bounded as asked, with the real refusals."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kubernetes.client.rest import ApiException

from tests.sandbox.cluster.logfile import LogFile
from tests.sandbox.cluster_for_tests import PROD, StandIn, why_no_kubectl

needs_kubectl = pytest.mark.skipif(bool(why_no_kubectl()), reason=why_no_kubectl())


def stamped(age: timedelta, text: str) -> str:
    return f"{datetime.now(UTC) - age:%Y-%m-%dT%H:%M:%S}.123456789Z {text}\n"


@pytest.fixture
def log(stand_in: StandIn):
    """An API pod's log: a line per minute of the last hour."""
    pod = stand_in.pod_name("api")
    path = stand_in.folder(pod) / "logs" / "api.log"
    path.write_text("".join(stamped(timedelta(minutes=age), f"line {age}") for age in range(60, 0, -1)))
    yield pod
    path.unlink()


def read(stand_in: StandIn, pod: str, **options) -> str:
    """Without preload: client 36 makes the text "b'...'" of a preloaded log (kubernetes-client/python #2596)."""
    answer = stand_in.core().read_namespaced_pod_log(pod, PROD, _preload_content=False, **options)
    return answer.data.decode()


def refusal(stand_in: StandIn, pod: str, **options) -> ApiException:
    with pytest.raises(ApiException) as refused:
        read(stand_in, pod, **options)
    return refused.value


def test_all_of_it(stand_in, log):
    lines = read(stand_in, log).splitlines()
    assert (len(lines), lines[0], lines[-1]) == (60, "line 60", "line 1")


def test_the_last_lines(stand_in, log):
    assert read(stand_in, log, tail_lines=2) == "line 2\nline 1\n"


def test_since(stand_in, log):
    assert 8 <= len(read(stand_in, log, since_seconds=600).splitlines()) <= 10


def test_since_and_the_last_lines_both_hold(stand_in, log):
    assert 8 <= len(read(stand_in, log, since_seconds=600, tail_lines=50).splitlines()) <= 10
    assert len(read(stand_in, log, since_seconds=600, tail_lines=3).splitlines()) == 3


def test_timestamps(stand_in, log):
    path = stand_in.folder(log) / "logs" / "api.log"
    assert (
        read(stand_in, log, tail_lines=1, timestamps=True) == path.read_text().splitlines(keepends=True)[-1]
    )


def test_limit_in_bytes(stand_in, log):
    assert read(stand_in, log, limit_bytes=10) == "line 60\nli"


def test_a_log_that_parses_as_json_stays_as_it_is(stand_in, log):
    (stand_in.folder(log) / "logs" / "api.log").write_text(stamped(timedelta(0), '{"level": "info"}'))
    assert read(stand_in, log) == '{"level": "info"}\n'


def test_following_sees_what_is_written_later(stand_in, log):
    path = stand_in.folder(log) / "logs" / "api.log"

    def write_later() -> None:
        time.sleep(0.5)
        with path.open("a") as file:
            file.write(stamped(timedelta(0), "later"))

    writer = threading.Thread(target=write_later)
    writer.start()
    answer = stand_in.core().read_namespaced_pod_log(
        log, PROD, follow=True, tail_lines=1, _preload_content=False
    )
    seen = b""
    for piece in answer.stream(64):
        seen += piece
        if b"later" in seen:
            break
    answer.close()
    writer.join()
    assert seen == b"line 1\nlater\n"


def test_since_zero_seconds_is_422(stand_in, log):
    refused = refusal(stand_in, log, since_seconds=0)
    assert refused.status == 422
    assert "sinceSeconds: Invalid value: 0: must be greater than 0" in refused.body


def test_no_previous_run_is_400(stand_in, log):
    refused = refusal(stand_in, log, previous=True)
    assert refused.status == 400
    assert "previous terminated container" in refused.body


def test_a_container_that_the_pod_does_not_have_is_400(stand_in, log):
    refused = refusal(stand_in, log, container="sidecar")
    assert (refused.status, "is not valid for pod" in refused.body) == (400, True)


def test_a_waiting_container_is_400(stand_in, trouble):
    with trouble("image_pull"):
        pods = [stand_in.pod("nginx", ordinal) for ordinal in (0, 1)]
        pulling = next(pod for pod in pods if pod["status"]["phase"] == "Pending")
        refused = refusal(stand_in, pulling["metadata"]["name"])
    assert refused.status == 400
    assert "is waiting to start: trying and failing to pull image" in refused.body


def test_an_unscheduled_pod_has_no_log_and_no_error(stand_in, trouble):
    with trouble("unschedulable"):
        pods = [stand_in.pod("nginx", ordinal) for ordinal in (0, 1)]
        pending = next(pod for pod in pods if pod["status"]["phase"] == "Pending")
        assert read(stand_in, pending["metadata"]["name"]) == ""


def test_a_crashed_container_left_its_last_words(stand_in, trouble):
    with trouble("crash_loop"):
        crashing = stand_in.pod_name("nginx", 1)
        assert "host not found in upstream" in read(stand_in, crashing, previous=True)
        assert "host not found in upstream" in read(stand_in, crashing)
    assert "start worker processes" in read(stand_in, crashing)


def test_a_pod_on_a_lost_node_is_500(stand_in, trouble):
    lost = next(
        p for p in (stand_in.pod("nginx", 0), stand_in.pod("nginx", 1)) if p["spec"]["nodeName"] == "node-3"
    )
    with trouble("node_not_ready"):
        refused = refusal(stand_in, lost["metadata"]["name"])
    assert (refused.status, "connection refused" in refused.body) == (500, True)


def test_a_long_log_is_streamed_without_being_held(stand_in, log):
    line = stamped(timedelta(minutes=1), "x" * 200)
    with (stand_in.folder(log) / "logs" / "api.log").open("w") as file:
        for _ in range(100):
            file.write(line * 2500)
    before = stand_in.memory_bytes()
    answer = stand_in.core().read_namespaced_pod_log(log, PROD, _preload_content=False)
    size = sum(len(piece) for piece in answer.stream(2**16))
    assert size == 201 * 250_000
    assert stand_in.memory_bytes() - before < 10 * 2**20


@needs_kubectl
def test_kubectl_logs_of_a_deployment(stand_in, log):
    done = stand_in.kubectl("logs", "-n", PROD, "deployment/nginx", "--since=1000h")
    assert "start worker processes" in done.stdout


def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path: Path):
    path = tmp_path / "a.log"
    path.write_text(stamped(timedelta(1), "whole") + "2025-01-01T00:00:00Z half a li")
    with LogFile(path) as file:
        assert b"".join(file.read_from(0, timestamps=False)) == b"whole\n"
        with path.open("a") as writer:
            writer.write("ne\n")
        assert b"".join(file.read_on(timestamps=False)) == b"half a line\n"


@pytest.mark.parametrize("lines", [0, 1, 2, 3, 4, 1000])
@pytest.mark.parametrize("ending", ["\n", ""])
def test_the_tail_of_any_length(tmp_path: Path, lines: int, ending: str):
    texts = [f"2025-01-01T00:00:0{number}Z {number}" for number in range(3)]
    (tmp_path / "a.log").write_text("\n".join(texts) + ending)
    with LogFile(tmp_path / "a.log") as file:
        start = file.start(None, lines)
    expected = "\n".join(texts[len(texts) - min(lines, 3) :]) + ending if lines else ""
    assert (tmp_path / "a.log").read_text()[start:] == expected


@pytest.mark.parametrize("second", range(-1, 12))
def test_bisection_finds_the_first_line_of_a_time(tmp_path: Path, second: int):
    """Also between lines without a time of their own, such as a traceback's."""
    stamps = [0, 2, 2, 5, 9]
    text = "".join(f"2025-01-01T00:00:{s:02}.5Z {s}\nno time of its own\n" for s in stamps)
    (tmp_path / "a.log").write_text(text)
    since = f"2025-01-01T00:00:{second:02}Z" if second >= 0 else "2024-12-31T23:59:59Z"
    with LogFile(tmp_path / "a.log") as file:
        found = text[file.start(since, None) :]
    expected = [str(s) for s in stamps if s >= second]
    assert [line.split()[1] for line in found.splitlines() if line.startswith("2025")] == expected
