"""HorizontalPodAutoscalers, scaling on the CPU that usage.py says the pods use."""

from __future__ import annotations

import math
from typing import Any

from tests.sandbox.cluster import usage
from tests.sandbox.cluster.quantities import quantity
from tests.sandbox.cluster.world import World, condition

Object = dict[str, Any]


def settle(world: World) -> None:
    for autoscaler in world.all("HorizontalPodAutoscaler"):
        spec = autoscaler["spec"]
        namespace = autoscaler["metadata"]["namespace"]
        target = world.get("Deployment", namespace, spec["scaleTargetRef"]["name"])
        if target is None:
            continue
        since = world.after(30)
        current = target["status"].get("replicas", 0)
        used, requested, pods = _cpu(world, target)
        goal = spec["metrics"][0]["resource"]["target"]["averageUtilization"]
        utilization = int(100 * used / requested) if requested else 0
        wanted = math.ceil(current * utilization / goal)
        desired = min(max(wanted, spec["minReplicas"]), spec["maxReplicas"])
        autoscaler["status"] = {
            "observedGeneration": 1,
            "lastScaleTime": world.after(28),
            "currentReplicas": current,
            "desiredReplicas": desired,
            "currentMetrics": [_metric(utilization, used / max(pods, 1))],
            "conditions": [
                condition(
                    "AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size", since
                ),
                condition(
                    "ScalingActive",
                    "True",
                    "ValidMetricFound",
                    "the HPA was able to successfully calculate a "
                    "replica count from cpu resource utilization (percentage of request)",
                    since,
                ),
                _limited(wanted, spec, since),
            ],
        }


def _cpu(world: World, deployment: Object) -> tuple[float, float, int]:
    """Cores used and requested by the target's running pods, and how many those are."""
    used = requested = 0.0
    count = 0
    for replica_set in world.owned("ReplicaSet", deployment):
        for pod in world.owned("Pod", replica_set):
            for container in usage.containers_of(world.profile, pod):
                used += container.cpu_cores
            if usage.is_measured(pod):
                count += 1
                requested += sum(
                    quantity(c["resources"].get("requests", {}).get("cpu", 0))
                    for c in pod["spec"]["containers"]
                )
    return used, requested, count


def _metric(utilization: int, average: float) -> Object:
    return {
        "type": "Resource",
        "resource": {
            "name": "cpu",
            "current": {"averageUtilization": utilization, "averageValue": f"{round(average * 1000)}m"},
        },
    }


def _limited(wanted: int, spec: Object, since: str) -> Object:
    """A quiet service rests at its minimum with ScalingLimited=True: true, and no trouble."""
    if wanted > spec["maxReplicas"]:
        return condition(
            "ScalingLimited",
            "True",
            "TooManyReplicas",
            "the desired replica count is more than the maximum replica count",
            since,
        )
    if wanted < spec["minReplicas"]:
        return condition(
            "ScalingLimited",
            "True",
            "TooFewReplicas",
            "the desired replica count is less than the minimum replica count",
            since,
        )
    return condition(
        "ScalingLimited",
        "False",
        "DesiredWithinRange",
        "the desired count is within the acceptable range",
        since,
    )
