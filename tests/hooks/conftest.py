"""Connections that lead to servers of the test's own, and time limits that a test can wait for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from docrag_ops.hooks import cluster, metrics, web


@pytest.fixture(autouse=True)
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short for a server that never answers; one that does may be slow, on a machine that has other things to do."""
    seconds = 0.3 if "hangs" in request.node.name else 10.0
    for module in (web, metrics, cluster):
        monkeypatch.setattr(module, "READ_SECONDS", seconds)
    for module in (web, cluster):
        monkeypatch.setattr(module, "CONNECT_SECONDS", seconds)


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set a Connection: `connection("docrag_api", port=…)`."""

    def set_connection(name: str, **keys: object) -> None:
        plain = {"conn_type": "http", "host": "127.0.0.1"}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({**plain, **keys}))

    return set_connection


@pytest.fixture
def kubeconfig(tmp_path: Path, connection: Callable[..., None]) -> Callable[[int], None]:
    """Point docrag_kubernetes at an API server on a port of this machine."""

    def point(port: int) -> None:
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "me", "user": {"token": "very-secret"}}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(content))
        connection("docrag_kubernetes", conn_type="kubernetes", extra={"kube_config_path": str(path)})

    return point
