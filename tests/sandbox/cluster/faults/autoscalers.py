"""Autoscalers that want more than they may, or do not know what they want."""

from __future__ import annotations

from tests.sandbox.cluster.faults.bystanders import NAMESPACE
from tests.sandbox.cluster.faults.registry import Since, fault
from tests.sandbox.cluster.world import World, conditions_of

NO_METRICS = (
    "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for "
    "resource cpu: unable to fetch metrics from resource metrics API: the server is currently unable to handle "
    "the request (get pods.metrics.k8s.io)"
)


@fault()
def hpa_at_limit(world: World, since: Since) -> None:
    """api-hpa may not exceed the 3 pods it has, and these are busy: 148 % of their request."""
    world.need("HorizontalPodAutoscaler", NAMESPACE, "api-hpa")["spec"]["maxReplicas"] = 3
    for pod in world.all("Pod", NAMESPACE):
        if pod["metadata"]["labels"].get("app") == "api":
            pod.setdefault("sandbox", {})["load"] = {"cpu": 1.48}


@fault(settled=True)
def hpa_unable(world: World, since: Since) -> None:
    """api-hpa gets no metrics and does not scale."""
    without_metrics(world, since.ago(40))


def without_metrics(world: World, moment: str) -> None:
    """What every autoscaler reports when the metrics API does not answer."""
    for autoscaler in world.all("HorizontalPodAutoscaler"):
        conditions_of(autoscaler)["ScalingActive"].update(
            status="False", reason="FailedGetResourceMetric", message=NO_METRICS, lastTransitionTime=moment
        )
        autoscaler["status"]["currentMetrics"] = None
