"""DaemonSets: one pod on every node that has no taint, and their status."""

from __future__ import annotations

from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.controllers import pods
from tests.sandbox.cluster.world import World


def create_pods(world: World) -> None:
    for owner in world.all("DaemonSet"):
        taken = {pod["spec"]["nodeName"] for pod in world.owned("Pod", owner)}
        labels = {
            "controller-revision-hash": identity.template_hash(owner["spec"]["template"]),
            "pod-template-generation": "1",
        }
        for node in _nodes(world):
            node_name = node["metadata"]["name"]
            if node_name not in taken:
                name = (
                    f"{owner['metadata']['name']}-{identity.letters(5, owner['metadata']['name'], node_name)}"
                )
                world.put(pods.build(world, owner, name, node, labels, 16))


def settle(world: World) -> None:
    for owner in world.all("DaemonSet"):
        owned = [pod for pod in world.owned("Pod", owner) if pods.is_active(pod)]
        desired, ready = len(_nodes(world)), sum(map(pods.is_ready, owned))
        owner["status"] = {
            "observedGeneration": owner["metadata"]["generation"],
            "desiredNumberScheduled": desired,
            "currentNumberScheduled": len(owned),
            "updatedNumberScheduled": len(owned),
            "numberMisscheduled": 0,
            "numberReady": ready,
            "numberAvailable": ready,
        } | ({"numberUnavailable": desired - ready} if ready < desired else {})


def _nodes(world: World) -> list[dict[str, Any]]:
    """A node's own trouble does not drive a DaemonSet away: it tolerates those taints."""
    return [
        node
        for node in world.all("Node")
        if all(taint["key"].startswith("node.kubernetes.io/") for taint in node["spec"].get("taints", ()))
    ]
