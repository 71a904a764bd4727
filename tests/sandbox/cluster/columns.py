"""The columns of `kubectl get`, as the API server's own printers fill them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from tests.sandbox.cluster.quantities import parse_rfc3339

Object = dict[str, Any]
Column = tuple[str, int, Callable[[Object], Any]]  # name, priority (1: only with -o wide), cell


def path(*steps: str, default: Any = "<none>") -> Callable[[Object], Any]:
    def cell(obj: Object) -> Any:
        value: Any = obj
        for step in steps:
            value = (value or {}).get(step)
        return default if value in (None, "", []) else value

    return cell


def duration(since: str | None) -> str:
    """
    >>> duration(None)
    '<unknown>'
    """
    if not since:
        return "<unknown>"
    seconds = int((datetime.now(UTC) - parse_rfc3339(since)).total_seconds())
    for unit, size, enough in (("d", 86400, 2), ("h", 3600, 2), ("m", 60, 2)):
        if seconds >= size * enough:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def age(obj: Object) -> str:
    return duration(obj["metadata"].get("creationTimestamp"))


def _restarts(pod: Object) -> str:
    statuses = pod["status"].get("containerStatuses") or []
    count = sum(status["restartCount"] for status in statuses)
    ends = [status["lastState"]["terminated"]["finishedAt"] for status in statuses
            if status.get("lastState", {}).get("terminated")]  # fmt: skip
    return f"{count} ({duration(max(ends))} ago)" if count and ends else str(count)


def _pod_ready(pod: Object) -> str:
    statuses = pod["status"].get("containerStatuses") or []
    return f"{sum(status['ready'] for status in statuses)}/{len(pod['spec']['containers'])}"


def _pod_status(pod: Object) -> str:
    """The one word of kubectl's STATUS column."""
    reason: str = pod["status"].get("reason") or pod["status"]["phase"]
    for status in pod["status"].get("containerStatuses") or ():
        state = status["state"]
        reason = (state.get("waiting") or state.get("terminated") or {}).get("reason", reason)
    if "deletionTimestamp" in pod["metadata"]:
        return "Unknown" if pod["status"].get("reason") == "NodeLost" else "Terminating"
    return reason


def _node_status(node: Object) -> str:
    ready = next((c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready"), "Unknown")
    return ("Ready" if ready == "True" else "NotReady") + (
        ",SchedulingDisabled" if node["spec"].get("unschedulable") else "")  # fmt: skip


def _count(*steps: str) -> Callable[[Object], Any]:
    return path(*steps, default=0)


def _ports(service: Object) -> str:
    return ",".join(f"{port['port']}/{port['protocol']}" for port in service["spec"]["ports"])


def _selector(service: Object) -> str:
    return _joined(f"{key}={value}" for key, value in (service["spec"].get("selector") or {}).items())


def _joined(parts: Iterable[Any]) -> str:
    return ",".join(str(part) for part in parts) or "<none>"


def _data(obj: Object) -> int:
    return len(obj.get("data") or {})


def _ready_of_replicas(workload: Object) -> str:
    return f"{workload['status'].get('readyReplicas', 0)}/{workload['spec']['replicas']}"


def _access_modes(obj: Object) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadWriteMany": "RWX", "ReadOnlyMany": "ROX"}
    return ",".join(short[mode] for mode in obj["spec"]["accessModes"])


def _containers(key: str) -> Callable[[Object], str]:
    return lambda obj: ",".join(c[key] for c in obj["spec"]["template"]["spec"]["containers"])


def _autoscaler_target(hpa: Object) -> str:
    goal = hpa["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"]
    current = hpa["status"].get("currentMetrics") or []
    now = f"{current[0]['resource']['current']['averageUtilization']}%" if current else "<unknown>"
    return f"cpu: {now}/{goal}%"


def _job_status(job: Object) -> str:
    conditions = {c["type"] for c in job["status"].get("conditions") or () if c["status"] == "True"}
    return next((word for word in ("Complete", "Failed") if word in conditions), "Running")


# fmt: off
COLUMNS: dict[str, list[Column]] = {
    "Namespace": [("Status", 0, path("status", "phase"))],
    "Pod": [("Ready", 0, _pod_ready), ("Status", 0, _pod_status), ("Restarts", 0, _restarts)],
    "Node": [("Status", 0, _node_status), ("Roles", 0, lambda o: "<none>")],
    "Deployment": [
        ("Ready", 0, _ready_of_replicas),
        ("Up-to-date", 0, _count("status", "updatedReplicas")),
        ("Available", 0, _count("status", "availableReplicas"))],
    "ReplicaSet": [
        ("Desired", 0, _count("spec", "replicas")),
        ("Current", 0, _count("status", "replicas")),
        ("Ready", 0, _count("status", "readyReplicas"))],
    "StatefulSet": [("Ready", 0, _ready_of_replicas)],
    "DaemonSet": [
        ("Desired", 0, _count("status", "desiredNumberScheduled")),
        ("Current", 0, _count("status", "currentNumberScheduled")),
        ("Ready", 0, _count("status", "numberReady")),
        ("Up-to-date", 0, _count("status", "updatedNumberScheduled")),
        ("Available", 0, _count("status", "numberAvailable"))],
    "Job": [
        ("Status", 0, _job_status),
        ("Completions", 0, lambda o: f"{o['status'].get('succeeded', 0)}/{o['spec']['completions']}")],
    "Service": [
        ("Type", 0, path("spec", "type")),
        ("Cluster-IP", 0, path("spec", "clusterIP")),
        ("External-IP", 0, lambda o: "<none>"),
        ("Port(s)", 0, _ports)],
    "EndpointSlice": [
        ("AddressType", 0, path("addressType")),
        ("Ports", 0, lambda o: _joined(port["port"] for port in o["ports"] or ())),
        ("Endpoints", 0, lambda o: _joined(a for e in o["endpoints"] or () for a in e["addresses"]))],
    "ConfigMap": [("Data", 0, _data)],
    "Secret": [("Type", 0, path("type")), ("Data", 0, _data)],
    "PersistentVolumeClaim": [
        ("Status", 0, path("status", "phase")),
        ("Volume", 0, path("spec", "volumeName", default="")),
        ("Capacity", 0, path("status", "capacity", "storage", default="")),
        ("Access Modes", 0, _access_modes),
        ("StorageClass", 0, path("spec", "storageClassName"))],
    "PersistentVolume": [
        ("Capacity", 0, path("spec", "capacity", "storage")),
        ("Access Modes", 0, _access_modes),
        ("Status", 0, path("status", "phase")),
        ("Claim", 0, lambda o: "{namespace}/{name}".format(**o["spec"]["claimRef"]))],
    "HorizontalPodAutoscaler": [
        ("Reference", 0, lambda o: "{kind}/{name}".format(**o["spec"]["scaleTargetRef"])),
        ("Targets", 0, _autoscaler_target),
        ("MinPods", 0, path("spec", "minReplicas")),
        ("MaxPods", 0, path("spec", "maxReplicas")),
        ("Replicas", 0, path("status", "currentReplicas"))],
    "Event": [
        ("Last Seen", 0, lambda o: duration(o.get("lastTimestamp"))),
        ("Type", 0, path("type")),
        ("Reason", 0, path("reason")),
        ("Object", 0, lambda o: f"{o['involvedObject']['kind'].lower()}/{o['involvedObject']['name']}"),
        ("Message", 0, path("message"))],
}
WIDE: dict[str, list[Column]] = {
    "Pod": [("IP", 1, path("status", "podIP")), ("Node", 1, path("spec", "nodeName"))],
    "Node": [
        ("Version", 0, path("status", "nodeInfo", "kubeletVersion")),
        ("Internal-IP", 1, lambda o: o["status"]["addresses"][0]["address"]),
        ("OS-Image", 1, path("status", "nodeInfo", "osImage"))],
    "Deployment": [("Containers", 1, _containers("name")), ("Images", 1, _containers("image"))],
    "StatefulSet": [("Containers", 1, _containers("name")), ("Images", 1, _containers("image"))],
    "DaemonSet": [("Containers", 1, _containers("name")), ("Images", 1, _containers("image"))],
    "Service": [("Selector", 1, _selector)],
}
