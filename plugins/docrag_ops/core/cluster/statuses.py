"""Status objects: how the API server says what went wrong, and how a command in a pod ended.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

QUOTED_BYTES = 200


def message_of(body: bytes) -> str:
    """The message of a Status object, or the beginning of whatever else was answered.

    >>> message_of(b'{"kind": "Status", "message": "pods not found", "code": 404}')
    'pods not found'
    >>> message_of(b"404 page not found\\n")
    '404 page not found'
    """
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:QUOTED_BYTES].decode("utf-8", "replace").strip()


def exit_code_of(status: bytes) -> int:
    """The exit code in the Status that ends an exec.

    >>> exit_code_of(b'{"status": "Success"}')
    0
    >>> exit_code_of(b'{"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}}')
    3

    :raises ValueError: with the message, when the command never ran: its causes then hold no exit code.
    """
    try:
        ended = json.loads(status)
    except ValueError:
        ended = None
    if isinstance(ended, dict):
        if ended.get("status") == "Success":
            return 0
        for cause in _causes(ended):
            if cause.get("reason") == "ExitCode":
                return int(cause["message"])
    raise ValueError(message_of(status))


def _causes(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return (status.get("details") or {}).get("causes") or []
