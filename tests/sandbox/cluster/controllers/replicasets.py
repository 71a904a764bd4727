"""ReplicaSets: their pods, and the counts in their status."""

from __future__ import annotations

from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.controllers import pods, scheduling
from tests.sandbox.cluster.world import World

Object = dict[str, Any]


def create_pods(world: World) -> None:
    for replica_set in world.all("ReplicaSet"):
        metadata, spec = replica_set["metadata"], replica_set["spec"]
        existing = [pod for pod in world.owned("Pod", replica_set) if pods.is_active(pod)]
        workload = metadata["ownerReferences"][0]["name"]
        for ordinal in range(len(existing), spec["replicas"]):
            name = f"{metadata['name']}-{identity.letters(5, metadata['name'], str(ordinal))}"
            node = scheduling.choose_node(world, workload, spec["template"], ordinal)
            world.put(pods.build(world, replica_set, name, node, {}, 20 + ordinal))


def settle(world: World) -> None:
    for replica_set in world.all("ReplicaSet"):
        active = [pod for pod in world.owned("Pod", replica_set) if pods.is_active(pod)]
        ready = sum(map(pods.is_ready, active))
        kept = (
            {"conditions": replica_set["status"]["conditions"]}
            if replica_set["status"].get("conditions")
            else {}
        )
        replica_set["status"] = {
            "observedGeneration": replica_set["metadata"]["generation"],
            "replicas": len(active),
        } | kept
        if active:
            replica_set["status"]["fullyLabeledReplicas"] = len(active)
        if ready:
            replica_set["status"].update(readyReplicas=ready, availableReplicas=ready)
