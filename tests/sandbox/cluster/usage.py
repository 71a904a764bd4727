"""One model of how much the containers use, for metrics.k8s.io, Prometheus and the autoscalers alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.quantities import quantity

Object = dict[str, Any]
WITHOUT_LIMIT = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Used:
    container: str
    cpu_cores: float
    memory_bytes: float


def is_measured(pod: Object) -> bool:
    """Only pods that run have metrics; one that just lost its node has none either."""
    return bool(pod["status"].get("phase") == "Running" and "unmeasured" not in pod.get("sandbox", {}))


def containers_of(profile: Object, pod: Object, now: float | None = None) -> list[Used]:
    """What each running container uses. With `now`, the figures drift by a few percent, as real ones do."""
    if not is_measured(pod):
        return []
    running = {
        status["name"]
        for status in pod["status"].get("containerStatuses") or ()
        if "running" in status["state"]
    }
    return [
        _used(profile, pod, container, now)
        for container in pod["spec"]["containers"]
        if container["name"] in running
    ]


def _used(profile: Object, pod: Object, container: Object, now: float | None) -> Used:
    load = profile["load"].get(container["name"], profile["load"]["default"]) | pod.get("sandbox", {}).get(
        "load", {}
    )
    resources = container.get("resources", {})
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    phase = identity.number(1000, pod["metadata"]["name"], container["name"]) / 1000 * math.tau
    drift = 1.0 if now is None else 1 + 0.04 * math.sin(now / 180 + phase)
    memory = quantity(limits.get("memory", WITHOUT_LIMIT)) * load["memory"]
    return Used(container["name"], quantity(requests.get("cpu", "50m")) * load["cpu"] * drift, memory)
