"""Faults of the stand-in cluster, switched over its control port."""

import json
import urllib.error
import urllib.request
from typing import Any

from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import Settings


def known(settings: Settings) -> dict[str, Any]:
    """Name → what the stand-in says of it; empty when it does not run."""
    try:
        return _call(settings, "GET", "/sandbox/faults", None)
    except (OSError, SandboxError):
        return {}


def active(settings: Settings) -> list[str]:
    return [name for name, state in known(settings).items() if _is_on(state)]


def switch(settings: Settings, name: str, *, on: bool) -> None:
    _call(settings, "POST", f"/sandbox/faults/{name}", {"on": on})


def _is_on(state: Any) -> bool:
    return bool(state.get("on")) if isinstance(state, dict) else bool(state)


def _call(settings: Settings, method: str, path: str, body: Any) -> dict[str, Any]:
    address = f"http://127.0.0.1:{settings.kubernetes_control_port}{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return dict(json.loads(answer.read() or b"{}"))
    except urllib.error.HTTPError as error:
        raise SandboxError(f"The stand-in cluster refused {path}: {error.read().decode()}") from error
