"""pods/log: read from the containers' log files, in pieces, however long they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.sandbox.cluster import containers
from tests.sandbox.cluster.cluster import Cluster
from tests.sandbox.cluster.logfile import LogFile
from tests.sandbox.cluster.parameters import flag, integer
from tests.sandbox.cluster.quantities import rfc3339
from tests.sandbox.cluster.statuses import ApiError, bad_request, internal, invalid

Object = dict[str, Any]
FOLLOW_SECONDS = 0.5
NOT_STARTED = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True)
class Options:
    """PodLogOptions, checked as the API server checks them."""

    since: str | None
    tail_lines: int | None
    limit_bytes: int | None
    timestamps: bool
    previous: bool
    follow: bool


def parse_options(request: web.Request, pod_name: str) -> Options:
    since_seconds, tail = integer(request, "sinceSeconds"), integer(request, "tailLines")
    limit, since_time = integer(request, "limitBytes"), request.query.get("sinceTime")
    if since_seconds is not None and since_time:
        problem = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        raise invalid("PodLogOptions", pod_name, "sinceSeconds", problem, "FieldValueForbidden")
    _at_least(pod_name, "tailLines", tail, 0)
    _at_least(pod_name, "limitBytes", limit, 1)
    _at_least(pod_name, "sinceSeconds", since_seconds, 1)
    if since_seconds is not None:
        since_time = rfc3339(datetime.now(UTC) - timedelta(seconds=since_seconds))
    flags = {name: flag(request, name) for name in ("timestamps", "previous", "follow")}
    return Options(since=_moment(since_time), tail_lines=tail, limit_bytes=limit, **flags)


async def serve(request: web.Request, cluster: Cluster, pod: Object) -> web.StreamResponse:
    options = parse_options(request, pod["metadata"]["name"])
    container = containers.chosen(request, pod)["name"]
    if not pod["spec"].get("nodeName"):
        return web.Response(content_type="text/plain")  # not scheduled: nothing was ever written
    path = _path(cluster, pod, container, previous=options.previous)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    if path.exists():
        await _stream(response, path, options)
    return response


async def _stream(response: web.StreamResponse, path: Path, options: Options) -> None:
    left = options.limit_bytes
    with LogFile(path) as file:
        pieces = file.read_from(file.start(options.since, options.tail_lines), timestamps=options.timestamps)
        while True:
            for piece in _limited(pieces, left):
                left = None if left is None else left - len(piece)
                await response.write(piece)
            if not options.follow or left == 0:
                return
            await asyncio.sleep(FOLLOW_SECONDS)
            pieces = file.read_on(timestamps=options.timestamps)


def _limited(pieces: Iterator[bytes], left: int | None) -> Iterator[bytes]:
    for piece in pieces:
        if left is None:
            yield piece
            continue
        yield piece[:left]
        left -= min(len(piece), left)
        if left == 0:
            return


def _path(cluster: Cluster, pod: Object, container: str, *, previous: bool) -> Path:
    """The file to read, or the kubelet's reason why there is none."""
    metadata = pod["metadata"]
    if dialling := containers.kubelet_trouble(cluster.current, pod):
        where = f"{metadata['namespace']}/{metadata['name']}/{container}"
        node = pod["spec"]["nodeName"]
        raise ApiError(500, "InternalError", f'Get "https://{node}:10250/containerLogs/{where}": {dialling}')
    status = containers.status_of(pod, container)
    if status is None:
        raise internal(f"no status of container {container!r} in pod {metadata['name']!r}")
    terminated_before = "terminated" in status["lastState"]
    if previous and not terminated_before:
        name = metadata["name"]
        raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    waiting = status["state"].get("waiting")
    if waiting and not terminated_before:
        reason = NOT_STARTED.get(waiting["reason"], waiting["reason"])
        raise bad_request(
            f'container "{container}" in pod "{metadata["name"]}" is waiting to start: {reason}'
        )
    return cluster.folders.log(
        metadata["namespace"], metadata["name"], container, previous=previous or bool(waiting)
    )


def _at_least(pod_name: str, field: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        bound = "greater than 0" if least else "greater than or equal to 0"
        raise invalid("PodLogOptions", pod_name, field, f"Invalid value: {value}: must be {bound}")


def _moment(text: str | None) -> str | None:
    try:
        return None if not text else rfc3339(datetime.fromisoformat(text))
    except ValueError as error:
        raise bad_request(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse') from error
