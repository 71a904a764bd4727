"""Deployments: a ReplicaSet for the template, and the status a rollout that has ended leaves."""

from __future__ import annotations

import copy
import math
from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.controllers import pods
from tests.sandbox.cluster.world import World, condition, conditions_of, new, reference

Object = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"


def create_replica_sets(world: World) -> None:
    for deployment in world.all("Deployment"):
        metadata, spec = deployment["metadata"], deployment["spec"]
        suffix = identity.template_hash(spec["template"])
        name = f"{metadata['name']}-{suffix}"
        if world.get("ReplicaSet", metadata["namespace"], name) is not None:
            continue
        template, labels = copy.deepcopy(spec["template"]), {"pod-template-hash": suffix}
        template["metadata"]["labels"] |= labels
        replica_set = new(
            "ReplicaSet",
            metadata["namespace"],
            name,
            uid=identity.uid("ReplicaSet", metadata["namespace"], name),
            created=world.after(15),
            labels=dict(template["metadata"]["labels"]),
            ownerReferences=reference(deployment),
            annotations={
                REVISION: metadata["annotations"][REVISION],
                "deployment.kubernetes.io/desired-replicas": str(spec["replicas"]),
                "deployment.kubernetes.io/max-replicas": str(math.ceil(spec["replicas"] * 1.25)),
            },
            spec={
                "replicas": spec["replicas"],
                "selector": {"matchLabels": spec["selector"]["matchLabels"] | labels},
                "template": template,
            },
            status={},
        )
        replica_set["metadata"]["generation"] = 1
        world.put(replica_set)


def settle(world: World) -> None:
    for deployment in world.all("Deployment"):
        sets = world.owned("ReplicaSet", deployment)
        active = [pod for owner in sets for pod in world.owned("Pod", owner) if pods.is_active(pod)]
        desired, ready = deployment["spec"]["replicas"], sum(map(pods.is_ready, active))
        counts = {
            "replicas": len(active),
            "updatedReplicas": len(active),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(desired - ready, 0),
        }
        conditions = [_available(world, deployment, ready), _progressing(world, deployment, sets)]
        conditions += [
            copy.deepcopy(failure)
            for owner in sets
            if (failure := conditions_of(owner).get("ReplicaFailure"))
        ]
        # A count of 0 is left out, as the real API does.
        deployment["status"] = {
            "observedGeneration": deployment["metadata"]["generation"],
            **{key: count for key, count in counts.items() if count},
            "conditions": conditions,
        }


def settled_conditions(world: World, deployment: Object) -> list[Object]:
    """The conditions of a Deployment all of whose pods are ready."""
    sets = world.owned("ReplicaSet", deployment)
    ready = deployment["spec"]["replicas"]
    return [_available(world, deployment, ready), _progressing(world, deployment, sets)]


def _available(world: World, deployment: Object, ready: int) -> Object:
    desired = deployment["spec"]["replicas"]
    if ready >= desired - _max_unavailable(deployment):
        return _condition(
            "Available",
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
            world.after(22),
        )
    return _condition(
        "Available",
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
        _last_change(world, deployment),
    )


def _max_unavailable(deployment: Object) -> int:
    """Percentages round down: 25% of 2 replicas is none."""
    allowed = deployment["spec"]["strategy"].get("rollingUpdate", {}).get("maxUnavailable", 0)
    if isinstance(allowed, str):
        return int(deployment["spec"]["replicas"] * int(allowed.rstrip("%")) / 100)
    return int(allowed)


def _progressing(world: World, deployment: Object, sets: list[Object]) -> Object:
    name = sets[-1]["metadata"]["name"] if sets else deployment["metadata"]["name"]
    return _condition(
        "Progressing",
        "True",
        "NewReplicaSetAvailable",
        f'ReplicaSet "{name}" has successfully progressed.',
        world.after(22),
    )


def _last_change(world: World, deployment: Object) -> str:
    """When the first of its pods stopped being ready."""
    moments = [
        entry["lastTransitionTime"]
        for owner in world.owned("ReplicaSet", deployment)
        for pod in world.owned("Pod", owner)
        for entry in pod["status"].get("conditions") or ()
        if entry["type"] in ("Ready", "PodScheduled") and entry["status"] != "True"
    ]
    return min(moments, default=world.after(22))


def _condition(name: str, status: str, reason: str, message: str, since: str) -> Object:
    return condition(name, status, reason, message, since, lastUpdateTime=since)
