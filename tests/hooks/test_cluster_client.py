"""The cluster's Connection, and what proxies and busy servers answer in the API server's place."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.hooks import cluster
from docrag_ops.hooks.cluster import ClusterHook
from tests.hooks.bad_servers import serving


def head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]).encode()


def test_a_refusal_that_is_no_utf_8_is_told_as_it_is(kubeconfig: Callable[[int], None]):
    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head("502 Bad Gateway", "Content-Length: 8") + "ungültig".encode("latin-1"))

    with serving(answer) as server:
        kubeconfig(server.port)
        with pytest.raises(CouldNotMeasureError, match=r"HTTP 502: 'ung.ltig'"):
            ClusterHook().get("/api/v1/namespaces/x")


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_busy_server_is_asked_once_more_and_not_hours_later(
    kubeconfig: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, status: str
):
    monkeypatch.setattr(cluster, "MOST_RETRY_AFTER_SECONDS", 0.2)

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head(status, "Retry-After: 7200", "Content-Length: 4") + b"busy")

    with serving(answer) as server:
        kubeconfig(server.port)
        started = time.monotonic()
        with pytest.raises(CouldNotMeasureError, match=f"HTTP {status[:3]}: 'busy'"):
            ClusterHook().get("/api/v1/namespaces/x")
        assert server.asked == 2
        assert time.monotonic() - started < 5


def test_a_redirect_is_not_followed(kubeconfig: Callable[[int], None]):
    """The token is for this server; a login page behind it is no list."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head("302 Found", "Location: /login", "Content-Length: 0"))

    with serving(answer) as server:
        kubeconfig(server.port)
        with pytest.raises(CouldNotMeasureError, match="HTTP 302"):
            ClusterHook().get("/api/v1/namespaces/x")
        assert server.asked == 1


@pytest.mark.parametrize(
    "content",
    [None, "", "clusters: [", "just a text", "apiVersion: v1\nkind: Config\ncurrent-context: gone\n"],
    ids=["no file", "empty", "no YAML", "a text", "no such context"],
)
def test_a_kubeconfig_that_is_none_is_named(
    tmp_path: Path, connection: Callable[..., None], content: str | None
):
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    connection("docrag_kubernetes", conn_type="kubernetes", extra={"kube_config_path": str(path)})
    with pytest.raises(UnreachableError, match=r"The Connection 'docrag_kubernetes' leads to no cluster"):
        ClusterHook().get("/api/v1/namespaces/x")
