"""The resources this API serves, as discovery tells them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

READ = ("get", "list", "watch")


@dataclass(frozen=True)
class Resource:
    """One row of `kubectl api-resources`. `fields` are its field selectors beyond name and namespace."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = READ
    custom: bool = (
        False  # list items of custom resources carry kind and apiVersion, those of built-in ones do not
    )

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name that error messages use: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


POD_FIELDS = ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
              "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName")  # fmt: skip
EVENT_FIELDS = ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
                "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.fieldPath",
                "reason", "reportingComponent", "type")  # fmt: skip
ALL = ("all",)

BUILT_IN = (
    Resource("", "v1", "namespaces", "Namespace", namespaced=False, short=("ns",), fields=("status.phase",)),
    Resource("", "v1", "nodes", "Node", namespaced=False, short=("no",), fields=("spec.unschedulable",)),
    Resource(
        "",
        "v1",
        "pods",
        "Pod",
        short=("po",),
        categories=ALL,
        fields=POD_FIELDS,
        subresources=("log", "exec"),
    ),
    Resource(
        "",
        "v1",
        "services",
        "Service",
        short=("svc",),
        categories=ALL,
        fields=("spec.clusterIP", "spec.type"),
    ),
    Resource("", "v1", "configmaps", "ConfigMap", short=("cm",), verbs=(*READ, "patch")),
    Resource("", "v1", "secrets", "Secret", fields=("type",)),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", short=("sa",)),
    Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", short=("pvc",)),
    Resource("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False, short=("pv",)),
    Resource("", "v1", "events", "Event", short=("ev",), fields=EVENT_FIELDS),
    Resource("", "v1", "resourcequotas", "ResourceQuota", short=("quota",)),
    Resource("", "v1", "limitranges", "LimitRange", short=("limits",)),
    Resource("apps", "v1", "deployments", "Deployment", short=("deploy",), categories=ALL),
    Resource(
        "apps", "v1", "replicasets", "ReplicaSet", short=("rs",), categories=ALL, fields=("status.replicas",)
    ),
    Resource("apps", "v1", "statefulsets", "StatefulSet", short=("sts",), categories=ALL),
    Resource("apps", "v1", "daemonsets", "DaemonSet", short=("ds",), categories=ALL),
    Resource("batch", "v1", "jobs", "Job", categories=ALL, fields=("status.successful",)),
    Resource("batch", "v1", "cronjobs", "CronJob", short=("cj",), categories=ALL),
    Resource(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        short=("hpa",),
        categories=ALL,
    ),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", short=("pdb",)),
    Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", short=("ing",)),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", short=("netpol",)),
    Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False, short=("sc",)),
    Resource("coordination.k8s.io", "v1", "leases", "Lease"),
)

METRICS_GROUP = "metrics.k8s.io"
METRICS = (
    Resource(METRICS_GROUP, "v1beta1", "nodes", "NodeMetrics", namespaced=False, verbs=("get", "list")),
    Resource(METRICS_GROUP, "v1beta1", "pods", "PodMetrics", verbs=("get", "list")),
)


@dataclass
class Registry:
    """Resources by address. Custom resources join when the manifests define them."""

    resources: list[Resource] = field(default_factory=lambda: [*BUILT_IN, *METRICS])

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def at(self, group: str, version: str, plural: str) -> Resource | None:
        return next((r for r in self if (r.group, r.version, r.plural) == (group, version, plural)), None)

    def of_manifest(self, document: dict[str, Any]) -> Resource | None:
        return next((r for r in self if r.kind == document.get("kind")
                     and r.api_version == document.get("apiVersion")), None)  # fmt: skip

    def add_definition(self, definition: dict[str, Any]) -> None:
        """Serve the storage version of a CustomResourceDefinition."""
        spec = definition["spec"]
        names = spec["names"]
        version = next(v["name"] for v in spec["versions"] if v.get("storage"))
        self.resources.append(Resource(
            spec["group"], version, names["plural"], names["kind"], namespaced=spec["scope"] == "Namespaced",
            short=tuple(names.get("shortNames", ())), categories=tuple(names.get("categories", ())),
            custom=True,
        ))  # fmt: skip


def built_in(kind: str) -> Resource:
    return next(r for r in BUILT_IN if r.kind == kind)
