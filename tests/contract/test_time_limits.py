"""Time limits, against an API server that takes connections and says nothing."""

import socket
import time
from collections.abc import Iterator

import pytest

from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.hooks import cluster, pod_commands
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.pod_commands import PodName
from tests.contract.conftest import CONNECTION, inline_connection

LIMIT_SECONDS = 0.4


@pytest.fixture(params=["http", "https"])
def silent_hook(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterHook]:
    for module, limit in (
        (cluster, "CONNECT_SECONDS"),
        (cluster, "READ_SECONDS"),
        (pod_commands, "HANDSHAKE_SECONDS"),
    ):
        monkeypatch.setattr(module, limit, LIMIT_SECONDS)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"{request.param}://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv(CONNECTION, inline_connection({"server": address}, "any"))
        yield ClusterHook()


def seconds_until_given_up(ask, error: type[Exception]) -> float:
    started = time.monotonic()
    with pytest.raises(error):
        ask()
    return time.monotonic() - started


def test_an_object_and_a_list_are_given_up(silent_hook: ClusterHook):
    for ask in (
        lambda: silent_hook.get("/api/v1/nodes/x"),
        lambda: silent_hook.list_items("/api/v1/nodes", dict),
    ):
        assert seconds_until_given_up(ask, UnreachableError) < 4


def test_a_command_is_given_up_in_its_handshake(silent_hook: ClusterHook):
    def ask():
        silent_hook.run(PodName("doc-rag-prod", "api-0"), "api", ["true"], seconds=LIMIT_SECONDS)

    assert seconds_until_given_up(ask, CouldNotMeasureError) < 4
