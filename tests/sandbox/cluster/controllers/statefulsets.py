"""StatefulSets: pods by ordinal, and their status."""

from __future__ import annotations

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.controllers import pods, scheduling
from tests.sandbox.cluster.world import World


def create_pods(world: World) -> None:
    for owner in world.all("StatefulSet"):
        metadata, spec = owner["metadata"], owner["spec"]
        revision = f"{metadata['name']}-{identity.template_hash(spec['template'])}"
        existing = {pod["metadata"]["name"] for pod in world.owned("Pod", owner)}
        for ordinal in range(spec["replicas"]):
            name = f"{metadata['name']}-{ordinal}"
            labels = {
                "controller-revision-hash": revision,
                "statefulset.kubernetes.io/pod-name": name,
                "apps.kubernetes.io/pod-index": str(ordinal),
            }
            if name not in existing:
                node = scheduling.choose_node(world, metadata["name"], spec["template"], ordinal)
                world.put(pods.build(world, owner, name, node, labels, 18 + ordinal))


def settle(world: World) -> None:
    for owner in world.all("StatefulSet"):
        owned = world.owned("Pod", owner)
        ready = sum(map(pods.is_ready, owned))
        revision = f"{owner['metadata']['name']}-{identity.template_hash(owner['spec']['template'])}"
        owner["status"] = {
            "observedGeneration": owner["metadata"]["generation"],
            "replicas": len(owned),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "currentReplicas": len(owned),
            "updatedReplicas": len(owned),
            "currentRevision": revision,
            "updateRevision": revision,
            "collisionCount": 0,
        }
