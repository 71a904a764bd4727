"""EndpointSlices: which pods a Service reaches, and which of them are ready."""

from __future__ import annotations

from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.controllers import pods
from tests.sandbox.cluster.selectors import matches
from tests.sandbox.cluster.world import World, new, reference

Object = dict[str, Any]


def derive(world: World) -> None:
    world.objects["EndpointSlice"] = {}
    for service in world.all("Service"):
        if service["spec"].get("selector"):
            world.put(_slice(world, service))


def _slice(world: World, service: Object) -> Object:
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    selected = [
        pod
        for pod in world.all("Pod", namespace)
        if matches(service["spec"]["selector"], pod["metadata"].get("labels"))
        and pod["status"].get("podIP")
        and pod["status"]["phase"] == "Running"
    ]
    slice_name = f"{name}-{identity.letters(5, 'slice', namespace, name)}"
    labels = {
        "kubernetes.io/service-name": name,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    ports = [
        {
            "name": port.get("name", ""),
            "protocol": port["protocol"],
            "port": _target(port["targetPort"], selected),
        }
        for port in service["spec"]["ports"]
    ]
    # Without endpoints the real API writes null for both lists.
    return new(
        "EndpointSlice",
        namespace,
        slice_name,
        uid=identity.uid("EndpointSlice", namespace, slice_name),
        created=service["metadata"]["creationTimestamp"],
        labels=labels,
        ownerReferences=reference(service),
        addressType="IPv4",
        endpoints=[_endpoint(pod) for pod in selected] or None,
        ports=ports if selected else None,
    )


def _endpoint(pod: Object) -> Object:
    terminating = "deletionTimestamp" in pod["metadata"]
    serving = pods.is_ready(pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "nodeName": pod["spec"]["nodeName"],
        "conditions": {"ready": serving and not terminating, "serving": serving, "terminating": terminating},
        "targetRef": {
            "kind": "Pod",
            "namespace": pod["metadata"]["namespace"],
            "name": pod["metadata"]["name"],
            "uid": pod["metadata"]["uid"],
        },
    }


def _target(target: int | str, selected: list[Object]) -> int | None:
    """A named target port is looked up in the pods."""
    if isinstance(target, int):
        return target
    return next(
        (
            port["containerPort"]
            for pod in selected
            for container in pod["spec"]["containers"]
            for port in container.get("ports", ())
            if port.get("name") == target
        ),
        None,
    )
