"""Which node a pod goes to."""

from __future__ import annotations

from typing import Any

from tests.sandbox.cluster.world import World

Object = dict[str, Any]


def choose_node(world: World, workload: str, template: Object, ordinal: int) -> Object:
    """The workload's own place; else where its ReadWriteOnce claims are; else the next node in turn."""
    named = world.profile["placement"].get(workload)
    if named:
        return world.need("Node", "", named)
    nodes = [world.need("Node", "", described["name"]) for described in world.profile["nodes"]]
    if any("persistentVolumeClaim" in volume for volume in template["spec"].get("volumes", ())):
        return nodes[0]  # pods that share a ReadWriteOnce claim share a node
    return nodes[(ordinal + 1) % len(nodes)]
