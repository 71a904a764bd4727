"""Pods in trouble. The victims are nginx, fluentd and Prometheus' pod."""

from __future__ import annotations

from tests.sandbox.cluster.controllers.pods import pod_condition
from tests.sandbox.cluster.faults import bystanders
from tests.sandbox.cluster.faults.registry import Since, fault
from tests.sandbox.cluster.world import World


@fault()
def crash_loop(world: World, since: Since) -> None:
    """One of nginx's pods crashes at every start: waiting CrashLoopBackOff, and yet in phase Running."""
    pod = bystanders.pod_of(world, "nginx")
    metadata = pod["metadata"]
    where = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    message = f"back-off 5m0s restarting failed container=nginx pod={where}"
    status = bystanders.waiting(pod, since.ago(38), "CrashLoopBackOff", message)
    status["restartCount"] = 12
    status["lastState"] = bystanders.ended(pod, status, "Error", 1, since.ago(3.1), since.ago(3))
    line = '2025/01/06 06:00:02 [emerg] 1#1: host not found in upstream "api" in /etc/nginx/nginx.conf:12'
    pod["sandbox"] = {"previous_log": {"nginx": [(since.ago(3), line)]}}
    told = f"Back-off restarting failed container nginx in pod {where}"
    bystanders.event(world, pod, "BackOff", told, since.ago(1), 170, "kubelet")


@fault()
def image_pull(world: World, since: Since) -> None:
    """One of nginx's pods was replaced, and its successor cannot pull the image: ImagePullBackOff."""
    pod = bystanders.instead(world, bystanders.pod_of(world, "nginx"), since, 35, "image_pull")
    image = pod["spec"]["containers"][0]["image"]
    message = (
        f'Back-off pulling image "{image}": ErrImagePull: failed to resolve reference "{image}": not found'
    )
    bystanders.never_started(pod, since.ago(35), "ImagePullBackOff", message)
    bystanders.event(world, pod, "Failed", f'Failed to pull image "{image}"', since.ago(2), 9, "kubelet")


@fault()
def container_config_error(world: World, since: Since) -> None:
    """One of nginx's pods was replaced, and its successor misses a ConfigMap: CreateContainerConfigError."""
    pod = bystanders.instead(world, bystanders.pod_of(world, "nginx"), since, 35, "container_config_error")
    message = 'configmap "nginx-tuning" not found'
    bystanders.never_started(pod, since.ago(35), "CreateContainerConfigError", message)
    bystanders.event(world, pod, "Failed", f"Error: {message}", since.ago(1), 165, "kubelet")


@fault()
def unschedulable(world: World, since: Since) -> None:
    """One of nginx's pods was replaced, and no node has room for its successor."""
    pod = bystanders.instead(world, bystanders.pod_of(world, "nginx"), since, 35, "unschedulable")
    message = (
        "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: "
        "3 No preemption victims found for incoming pod."
    )
    del pod["spec"]["nodeName"]
    scheduled = pod_condition("PodScheduled", "False", since.ago(35), "Unschedulable", message)
    pod["status"] = {
        "phase": "Pending",
        "conditions": [scheduled],
        "qosClass": pod["status"]["qosClass"],
    }
    bystanders.event(world, pod, "FailedScheduling", message, since.ago(1), 8, "default-scheduler")


@fault()
def oom_killed(world: World, since: Since) -> None:
    """A fluentd container was killed for its memory a few minutes ago, and runs again."""
    pod = bystanders.pod_of(world, "fluentd")
    status = pod["status"]["containerStatuses"][0]
    status["restartCount"] = 3
    status["lastState"] = bystanders.ended(pod, status, "OOMKilled", 137, since.ago(600), since.ago(6))
    status["state"] = {"running": {"startedAt": since.ago(5.9)}}
    pod["sandbox"] = {"previous_log": {"fluentd": [(since.ago(6.2), "[warn]: #0 buffer flush took longer")]}}


@fault()
def many_restarts(world: World, since: Since) -> None:
    """A fluentd container has restarted 27 times, the last time minutes ago, and looks well in between."""
    pod = bystanders.pod_of(world, "fluentd", 0)
    status = pod["status"]["containerStatuses"][0]
    status["restartCount"] = 27
    status["lastState"] = bystanders.ended(pod, status, "Error", 1, since.ago(55), since.ago(8))
    status["state"] = {"running": {"startedAt": since.ago(7.8)}}


@fault()
def evicted_pod(world: World, since: Since) -> None:
    """A pod of nginx was evicted for its disk usage; its remains stay, beside its successor."""
    pod = bystanders.pod_of(world, "nginx")
    bystanders.successor(world, pod, since, 44, "evicted_pod")
    pod["status"] = {
        "phase": "Failed",
        "reason": "Evicted",
        "message": "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi.",
        "startTime": pod["status"]["startTime"],
        "qosClass": pod["status"]["qosClass"],
        "conditions": [
            pod_condition("DisruptionTarget", "True", since.ago(45), "TerminationByKubelet"),
            pod_condition("Ready", "False", since.ago(45), "PodFailed"),
        ],
    }


@fault()
def stuck_terminating(world: World, since: Since) -> None:
    """A pod of nginx has been deleted for an hour and does not go; it still reads Running and ready."""
    pod = bystanders.pod_of(world, "nginx")
    bystanders.successor(world, pod, since, 60, "stuck_terminating")
    pod["metadata"]["deletionTimestamp"] = since.ago(60)
    pod["metadata"]["deletionGracePeriodSeconds"] = 30
    pod["metadata"]["finalizers"] = ["example.com/wait-for-drain"]


@fault()
def pod_not_ready(world: World, since: Since) -> None:
    """One of nginx's pods runs and fails its readiness probe."""
    pod = bystanders.pod_of(world, "nginx", 0)
    bystanders.unready(pod, since.ago(40))
    pod["status"]["containerStatuses"][0]["ready"] = False
    message = 'Readiness probe failed: Get "http://10.244.12.62:80/": dial tcp: connection refused'
    bystanders.event(world, pod, "Unhealthy", message, since.ago(0.2), 240, "kubelet")


@fault()
def memory_near_limit(world: World, since: Since) -> None:
    """A fluentd pod uses 96 % of its memory limit, and is not killed yet."""
    pod = bystanders.pod_of(world, "fluentd", 1)
    pod.setdefault("sandbox", {})["load"] = {"memory": 0.96}
