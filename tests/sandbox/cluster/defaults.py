"""The defaults an API server fills in when a manifest is applied."""

from __future__ import annotations

import base64
from typing import Any

from tests.sandbox.cluster import identity

Object = dict[str, Any]


def fill(obj: Object) -> None:
    if handler := HANDLERS.get(obj["kind"]):
        handler(obj)


def _fill(target: Object, wanted: Object) -> None:
    for key, value in wanted.items():
        target.setdefault(key, value)


def pod_template(spec: Object) -> None:
    _fill(
        spec,
        {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
    )
    for container in spec["containers"]:
        _container(container)
    for volume in spec.get("volumes", ()):
        for source in ("configMap", "secret"):
            if source in volume:
                volume[source].setdefault("defaultMode", 420)
        if "hostPath" in volume:
            volume["hostPath"].setdefault("type", "")


def _container(container: Object) -> None:
    latest = container["image"].endswith(":latest") or ":" not in container["image"]
    _fill(
        container,
        {
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "Always" if latest else "IfNotPresent",
        },
    )
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        if probe in container:
            _fill(
                container[probe],
                {
                    "timeoutSeconds": 1,
                    "periodSeconds": 10,
                    "successThreshold": 1,
                    "failureThreshold": 3,
                },
            )
            if "httpGet" in container[probe]:
                container[probe]["httpGet"].setdefault("scheme", "HTTP")


def _deployment(obj: Object) -> None:
    spec = obj["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("strategy", {"type": "RollingUpdate"})
    if spec["strategy"]["type"] == "RollingUpdate":
        spec["strategy"].setdefault("rollingUpdate", {"maxUnavailable": "25%", "maxSurge": "25%"})
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    obj["metadata"].setdefault("annotations", {})["deployment.kubernetes.io/revision"] = "1"
    pod_template(spec["template"]["spec"])


def _stateful_set(obj: Object) -> None:
    spec = obj["spec"]
    _fill(
        spec,
        {
            "replicas": 1,
            "podManagementPolicy": "OrderedReady",
            "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        },
    )
    pod_template(spec["template"]["spec"])


def _daemon_set(obj: Object) -> None:
    spec = obj["spec"]
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault(
        "updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    )
    obj["metadata"].setdefault("annotations", {})["deprecated.daemonset.template.generation"] = "1"
    pod_template(spec["template"]["spec"])


def _job(obj: Object) -> None:
    spec, uid = obj["spec"], obj["metadata"]["uid"]
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": obj["metadata"]["name"],
        "controller-uid": uid,
        "job-name": obj["metadata"]["name"],
    }
    _fill(
        spec,
        {
            "parallelism": 1,
            "completions": 1,
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "suspend": False,
            "podReplacementPolicy": "TerminatingOrFailed",
            "manualSelector": False,
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}},
        },
    )
    template = spec["template"]
    template.setdefault("metadata", {}).setdefault("labels", {}).update(labels)
    pod_template(template["spec"])


def _service(obj: Object) -> None:
    spec, name = obj["spec"], obj["metadata"]["name"]
    namespace = obj["metadata"]["namespace"]
    address = (
        f"10.96.{identity.number(250, 'svc', namespace)}.{2 + identity.number(250, 'svc', namespace, name)}"
    )
    spec.setdefault("clusterIP", address)
    _fill(
        spec,
        {
            "clusterIPs": [spec["clusterIP"]],
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        },
    )
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])
    obj.setdefault("status", {"loadBalancer": {}})


def _claim(obj: Object) -> None:
    obj["spec"].setdefault("storageClassName", "standard")
    obj["spec"].setdefault("volumeMode", "Filesystem")


def _secret(obj: Object) -> None:
    for key, value in (obj.pop("stringData", None) or {}).items():
        obj.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()
    obj.setdefault("type", "Opaque")


def _namespace(obj: Object) -> None:
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]
    obj.setdefault("spec", {"finalizers": ["kubernetes"]})
    obj["status"] = {"phase": "Active"}


HANDLERS = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "Secret": _secret,
    "Namespace": _namespace,
}
