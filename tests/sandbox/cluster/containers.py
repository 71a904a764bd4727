"""Which container of a pod a request means, and the complaints when it is not clear or does not run."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.sandbox.cluster.statuses import bad_request
from tests.sandbox.cluster.world import World

Object = dict[str, Any]


def chosen(request: web.Request, pod: Object) -> Object:
    """The container of the `container` parameter, or the only one."""
    name = request.query.get("container", "")
    containers = pod["spec"]["containers"]
    pod_name = pod["metadata"]["name"]
    if not name:
        if len(containers) > 1:
            choices = " ".join(container["name"] for container in containers)
            raise bad_request(
                f"a container name must be specified for pod {pod_name}, choose one of: [{choices}]"
            )
        only: Object = containers[0]
        return only
    for container in containers:
        if container["name"] == name:
            found: Object = container
            return found
    raise bad_request(f"container {name} is not valid for pod {pod_name}")


def status_of(pod: Object, container: str) -> Object | None:
    statuses = pod["status"].get("containerStatuses") or ()
    return next((status for status in statuses if status["name"] == container), None)


def kubelet_trouble(world: World, pod: Object) -> str:
    """The dialling error that the API server reports when the pod's node is gone; empty when it is there."""
    node = world.get("Node", "", pod["spec"].get("nodeName", ""))
    if node is None or node.get("sandbox", {}).get("unreachable") is None:
        return ""
    return f"dial tcp {node['status']['addresses'][0]['address']}:10250: connect: connection refused"
