"""A pod, from its template to the status of one that runs."""

from __future__ import annotations

import copy
from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.quantities import quantity
from tests.sandbox.cluster.world import World, new, reference

Object = dict[str, Any]
TOLERATIONS = [
    {
        "key": f"node.kubernetes.io/{trouble}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for trouble in ("not-ready", "unreachable")
]


def build(world: World, owner: Object, name: str, node: Object, labels: Object, minute: float) -> Object:
    """A running pod of this owner's template, created this many minutes after the epoch."""
    namespace = owner["metadata"]["namespace"]
    template = copy.deepcopy(owner["spec"]["template"])
    spec: Object = template["spec"]
    spec["nodeName"] = node["metadata"]["name"]
    spec.setdefault("tolerations", []).extend(copy.deepcopy(TOLERATIONS))
    spec.update(
        serviceAccountName="default",
        serviceAccount="default",
        enableServiceLinks=True,
        preemptionPolicy="PreemptLowerPriority",
        priority=0,
    )
    _mount_token(spec, identity.letters(5, "token", namespace, name))
    pod = new(
        "Pod",
        namespace,
        name,
        uid=identity.uid("Pod", namespace, name),
        created=world.after(minute),
        labels=template["metadata"].get("labels", {}) | labels,
        annotations=template["metadata"].get("annotations"),
        ownerReferences=reference(owner),
        spec=spec,
        status={},
    )
    pod["metadata"]["generateName"] = f"{owner['metadata']['name']}-"
    run(world, pod, minute)
    pod["metadata"]["managedFields"] = managed_fields(pod, world.after(minute), world.after(minute + 0.3))
    return pod


def run(world: World, pod: Object, minute: float) -> None:
    """Give the pod the status of one whose containers all run."""
    created, started = world.after(minute), world.after(minute + 0.2)
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    node = world.need("Node", "", pod["spec"]["nodeName"])
    host = node["status"]["addresses"][0]["address"]
    address = f"{node['spec']['podCIDR'].rsplit('.', 1)[0]}.{2 + identity.number(250, namespace, name)}"
    pod["status"] = {
        "phase": "Running",
        "conditions": [
            pod_condition("PodReadyToStartContainers", "True", started),
            pod_condition("Initialized", "True", created),
            pod_condition("Ready", "True", started),
            pod_condition("ContainersReady", "True", started),
            pod_condition("PodScheduled", "True", created),
        ],
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": created,
        "qosClass": qos_class(pod["spec"]),
        "containerStatuses": [
            container_status(pod, container, started) for container in pod["spec"]["containers"]
        ],
    }


def container_status(pod: Object, container: Object, started: str) -> Object:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    return {
        "name": container["name"],
        "state": {"running": {"startedAt": started}},
        "lastState": {},
        "ready": True,
        "restartCount": 0,
        "image": container["image"],
        "imageID": identity.image_id(container["image"]),
        "containerID": identity.container_id(namespace, name, container["name"], "0"),
        "started": True,
        "volumeMounts": [
            {"name": mount["name"], "mountPath": mount["mountPath"]}
            for mount in container.get("volumeMounts", ())
        ],
    }


def pod_condition(name: str, status: str, since: str, reason: str = "", message: str = "") -> Object:
    entry = {"type": name, "status": status, "lastProbeTime": None, "lastTransitionTime": since}
    return entry | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})


def qos_class(spec: Object) -> str:
    resources = [container.get("resources", {}) for container in spec["containers"]]
    if not any(r.get("requests") or r.get("limits") for r in resources):
        return "BestEffort"
    guaranteed = all(
        _amount(r, "limits", key) is not None
        and _amount(r, "requests", key) in (None, _amount(r, "limits", key))
        for r in resources
        for key in ("cpu", "memory")
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _amount(resources: Object, side: str, key: str) -> float | None:
    text = (resources.get(side) or {}).get(key)
    return None if text is None else quantity(text)


def is_ready(pod: Object) -> bool:
    return any(
        entry["type"] == "Ready" and entry["status"] == "True"
        for entry in pod["status"].get("conditions") or ()
    )


def is_active(pod: Object) -> bool:
    """Whether its owner still counts it: neither finished nor being deleted."""
    return "deletionTimestamp" not in pod["metadata"] and pod["status"].get("phase") not in (
        "Succeeded",
        "Failed",
    )


def managed_fields(obj: Object, applied: str, updated: str) -> list[Object]:
    """Who set what, in the verbose form that makes up a third of a real pod."""
    applied_part = {key: value for key, value in obj["metadata"].items() if key in ("generateName", "labels")}
    entries = (
        ("kube-controller-manager", applied, "", {"metadata": applied_part, "spec": obj["spec"]}),
        ("kubelet", updated, "status", {"status": obj["status"]}),
    )
    return [
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": "v1",
            "time": time,
            "fieldsType": "FieldsV1",
            "fieldsV1": _fields(part),
        }
        | ({"subresource": sub} if sub else {})
        for manager, time, sub, part in entries
    ]


def _fields(value: Any) -> Object:
    if isinstance(value, dict):
        return {f"f:{key}": _fields(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        keys = [next((k for k in ("name", "type", "ip", "mountPath") if k in entry), None) for entry in value]
        if all(keys):
            return {
                f'k:{{"{key}":"{entry[key]}"}}': {".": {}} | _fields(entry)
                for key, entry in zip(keys, value, strict=True)
            }
    return {}


def _mount_token(spec: Object, suffix: str) -> None:
    volume = f"kube-api-access-{suffix}"
    mount = {"name": volume, "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    for container in spec["containers"]:
        container.setdefault("volumeMounts", []).append(mount)
    ca = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    field = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": ca},
        {"downwardAPI": {"items": [field]}},
    ]
    spec.setdefault("volumes", []).append(
        {"name": volume, "projected": {"defaultMode": 420, "sources": sources}}
    )
