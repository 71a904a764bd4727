"""Containers' logs, streamed: however long they are, a piece at a time is in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from docrag_ops.core.cluster.statuses import message_of
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.pod_commands import PodName

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 60.0
PIECE_BYTES = 2**18
NO_SUCH_LOG = ("previous terminated container", "is waiting to start", "is not available")
"""What the kubelet says of a container that did not run: before its last restart, not yet, or (a pod that was evicted
or has just got its node) not that it knows of."""

NOT_KEPT = "the kubelet keeps this run's log no longer: {!r}"
"""Of a previous run that it answers with words of its own and HTTP 200: of two dead containers it keeps one."""

ROTATED_BYTES = 1_000_000
NOT_SERVED_AFTER = timedelta(hours=1)
NOT_SERVED = (
    "only what was logged since {:%Y-%m-%d %H:%M} UTC was there to be read: the container began then, or the kubelet "
    "has rotated the rest away (it serves the newest file of a log only)"
)


def not_served(first_at: str, size_bytes: int, *, since: datetime) -> str:
    """What of a window is missing in a log that is long enough to have been rotated; empty when nothing is.

    :param first_at: the time of the first line that was read, RFC 3339
    """
    if size_bytes < ROTATED_BYTES or not first_at:
        return ""
    first = datetime.fromisoformat(first_at)
    return NOT_SERVED.format(first) if first > since + NOT_SERVED_AFTER else ""


def stream_log(
    client: ApiClient, pod: PodName, container: str, *, since_seconds: int, previous: bool, seconds: float
) -> Iterator[bytes]:
    """The log of the last `since_seconds`, each line behind its time, in pieces cut anywhere.

    Nothing when there is none: no previous run of the container, one that waits to start, a pod that is gone or on
    no node yet. `previous=True` reads the run before the container's last restart.

    The client's preloading would hold all of it, and makes `b'...'` of it (kubernetes-client/python #2596).

    :raises CouldNotMeasureError: refused, silent for a minute, broken off, or longer than `seconds`.
    """
    import urllib3
    from kubernetes.client import ApiException

    where = f"the log of {pod.namespace}/{pod.name}, container {container!r}{', previous run' if previous else ''}"
    end = time.monotonic() + seconds
    size = 0
    try:
        response = client.call_api(
            f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}/log",
            "GET",
            query_params=[
                ("container", container),
                ("sinceSeconds", str(since_seconds)),
                ("timestamps", "true"),
                ("previous", "true" if previous else "false"),
            ],
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
        )
        try:
            for piece in response.stream(PIECE_BYTES):
                yield piece
                size += len(piece)
                if time.monotonic() > end:
                    raise CouldNotMeasureError(f"{where} was not read to its end within {seconds:g} s")
        finally:
            response.close()
    except ApiException as error:
        message = message_of((error.body or "").encode())
        if error.status == 404 or (error.status == 400 and any(words in message for words in NO_SUCH_LOG)):
            return
        raise CouldNotMeasureError(f"Cannot read {where}: HTTP {error.status}: {message!r}") from error
    except urllib3.exceptions.HTTPError as error:
        cause = getattr(error, "reason", None) or error
        raise CouldNotMeasureError(f"Cannot read {where}: after {size:,} bytes: {cause}") from error
