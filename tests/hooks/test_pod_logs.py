"""Logs that stop in the middle, or are no logs."""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks import pod_logs
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.pod_commands import PodName
from tests.hooks.bad_servers import answers, hangs, serving

Point = Callable[[int], None]
POD = PodName("doc-rag-prod", "api-1")


@pytest.fixture(autouse=True)
def short_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_logs, "SILENCE_SECONDS", 0.3)


def read(kubeconfig: Point, port: int, **options: float) -> list[bytes]:
    kubeconfig(port)
    return list(ClusterHook().stream_logs(POD, "api", since_seconds=60, **options))


def sends(body: bytes, *, then: Callable[[threading.Event], None] = lambda over: None):
    """The beginning of a chunked answer."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"%x\r\n%s\r\n" % (len(body), body))
        then(over)

    return behave


def test_a_log_that_breaks_off_says_how_much_was_read(kubeconfig: Point):
    with (
        serving(sends(b"x" * 1000)) as server,
        pytest.raises(CouldNotMeasureError, match="after 1,000 bytes"),
    ):
        read(kubeconfig, server.port)


def test_a_log_that_falls_silent_is_given_up(kubeconfig: Point):
    silent = sends(b"x" * 10, then=lambda over: over.wait(5) and None)
    with serving(silent) as server, pytest.raises(CouldNotMeasureError, match=r"after 10 bytes.*timed out"):
        read(kubeconfig, server.port)


def test_a_server_that_hangs_is_given_up(kubeconfig: Point):
    with serving(hangs) as server, pytest.raises(CouldNotMeasureError, match="after 0 bytes"):
        read(kubeconfig, server.port)


def test_a_log_that_takes_too_long_is_given_up(kubeconfig: Point):
    with serving(sends(b"x" * 10)) as server, pytest.raises(CouldNotMeasureError, match="within 0 s"):
        read(kubeconfig, server.port, seconds=0)


def status(code: int, message: str) -> dict:
    return {"kind": "Status", "status": "Failure", "message": message, "code": code}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (400, 'previous terminated container "api" in pod "api-1" not found'),
        (400, 'container "api" in pod "api-1" is waiting to start: ContainerCreating'),
        (404, 'pods "api-1" not found'),
    ],
)
def test_where_there_is_no_log_nothing_is_read(kubeconfig: Point, code: int, message: str):
    with serving(answers(code, status(code, message))) as server:
        assert read(kubeconfig, server.port) == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (400, "container sidecar is not valid for pod api-1"),
        (403, "pods is forbidden"),
        (500, "dial tcp: refused"),
    ],
)
def test_a_log_that_is_refused_is_not_measured(kubeconfig: Point, code: int, message: str):
    refusal = answers(code, status(code, message))
    with serving(refusal) as server, pytest.raises(CouldNotMeasureError, match=message):
        read(kubeconfig, server.port)


SINCE = datetime(2026, 11, 22, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first_at", "size_bytes", "missing"),
    [
        ("2026-11-23T17:40:00.123456789Z", 10_000_000, True),
        ("2026-11-23T17:40:00.123456789Z", 1_000, False),  # a quiet one, which nothing was rotated of
        ("2026-11-22T18:20:00.123456789Z", 10_000_000, False),
        ("", 0, False),
    ],
)
def test_of_a_long_log_that_begins_late_the_rest_was_not_served(
    first_at: str, size_bytes: int, missing: bool
):
    assert bool(pod_logs.not_served(first_at, size_bytes, since=SINCE)) is missing
