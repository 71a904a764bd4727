"""Workloads whose pods are missing, whose reports are stale, or which are gone."""

from __future__ import annotations

from tests.sandbox.cluster.controllers import jobs
from tests.sandbox.cluster.faults import bystanders
from tests.sandbox.cluster.faults.bystanders import NAMESPACE
from tests.sandbox.cluster.faults.registry import Since, fault
from tests.sandbox.cluster.world import World, condition


@fault()
def missing_replicas(world: World, since: Since) -> None:
    """One of nginx's two pods is gone, and a quota keeps the ReplicaSet from making another."""
    pod = bystanders.pod_of(world, "nginx")
    owner = world.need("ReplicaSet", NAMESPACE, pod["metadata"]["ownerReferences"][0]["name"])
    message = (
        f'pods "{owner["metadata"]["name"]}-" is forbidden: exceeded quota: compute, requested: limits.cpu=250m, '
        "used: limits.cpu=16, limited: limits.cpu=16"
    )
    world.remove(pod)
    owner["status"]["conditions"] = [
        condition("ReplicaFailure", "True", "FailedCreate", message, since.ago(40))
    ]
    bystanders.event(world, owner, "FailedCreate", message, since.ago(1), 31, "replicaset-controller")


@fault(settled=True)
def stale_generation(world: World, since: Since) -> None:
    """nginx's Deployment was changed, and the controller has not looked at it: counts look fine."""
    deployment = world.need("Deployment", NAMESPACE, "nginx")
    deployment["metadata"]["generation"] += 1
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.28"


@fault()
def workload_missing(world: World, since: Since) -> None:
    """Somebody deleted the DaemonSet fluentd."""
    owner = world.need("DaemonSet", NAMESPACE, "fluentd")
    for pod in world.owned("Pod", owner):
        world.remove(pod)
    world.remove(owner)


@fault()
def namespace_missing(world: World, since: Since) -> None:
    """The namespace doc-rag-security is gone, with everything in it; listing it is still no error."""
    for resource, obj in list(world):
        if resource.namespaced and obj["metadata"]["namespace"] == "doc-rag-security":
            world.remove(obj)
    world.remove(world.need("Namespace", "", "doc-rag-security"))


@fault()
def job_failed(world: World, since: Since) -> None:
    """The Job docrag-migrate failed: its pod ended with exit code 1."""
    pod = world.owned("Pod", world.need("Job", NAMESPACE, "docrag-migrate"))[0]
    jobs.finish(pod, since.ago(52), since.ago(50), exit_code=1)
