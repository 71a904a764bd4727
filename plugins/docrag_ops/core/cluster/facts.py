"""Small records of the API objects that checks look at; the rest of each object is dropped at once.

A page of raw JSON is turned into facts and forgotten, so that memory does not grow with the size of the objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Any

from docrag_ops.core.cluster.quantities import parse_quantity, parse_time

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerFacts:
    """A container of a pod: what it is doing and what it may use (CPU in cores, memory in bytes)."""

    name: str
    ready: bool = False
    restarts: int = 0
    waiting_reason: str = ""
    waiting_message: str = ""
    running_since: datetime | None = None
    terminated_reason: str = ""
    terminated_at: datetime | None = None
    last_terminated_reason: str = ""
    last_terminated_at: datetime | None = None
    cpu_limit_cores: float | None = None
    memory_limit_bytes: float | None = None

    @property
    def failed(self) -> bool:
        """It ended, and not well."""
        return self.terminated_reason not in ("", "Completed")


@dataclass(frozen=True, kw_only=True, slots=True)
class PodFacts:
    """A pod. A CrashLoopBackOff pod has the phase Running; one being deleted still reads Running and ready."""

    namespace: str
    name: str
    uid: str
    owner_kind: str
    phase: str
    reason: str
    message: str
    created_at: datetime | None
    deletion_at: datetime | None
    ready: bool
    ready_message: str
    ready_changed_at: datetime | None
    unscheduled_reason: str
    unscheduled_message: str
    containers: tuple[ContainerFacts, ...]

    @property
    def subject(self) -> str:
        """The pod as a person names it; one text for all measurements, as there may be thousands of pods."""
        return intern(f"{self.namespace}/{self.name}")

    @property
    def finished(self) -> bool:
        """Succeeded or Failed: the pod will not run again."""
        return self.phase in ("Succeeded", "Failed")


def pod_facts(pod: Json) -> PodFacts:
    """Facts of one item of `GET /api/v1/namespaces/NAMESPACE/pods`. Pending pods have no container statuses."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    ready, scheduled = conditions.get("Ready", {}), conditions.get("PodScheduled", {})
    unscheduled = scheduled.get("status") == "False"
    owner: Json = next((one for one in meta.get("ownerReferences") or () if one.get("controller")), {})
    return PodFacts(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        owner_kind=owner.get("kind", ""),
        phase=status.get("phase", "Unknown"),
        reason=status.get("reason") or "",
        message=status.get("message") or "",
        created_at=parse_time(meta.get("creationTimestamp")),
        deletion_at=parse_time(meta.get("deletionTimestamp")),
        ready=ready.get("status") == "True",
        ready_message=ready.get("message")
        or ready.get("reason")
        or (f"Ready={ready.get('status')}" if ready else "no Ready condition"),
        ready_changed_at=parse_time(ready.get("lastTransitionTime")),
        unscheduled_reason=(scheduled.get("reason") or "Unscheduled") if unscheduled else "",
        unscheduled_message=(scheduled.get("message") or "") if unscheduled else "",
        containers=tuple(_containers(spec, status)),
    )


def _containers(spec: Json, status: Json) -> Iterable[ContainerFacts]:
    for kind in ("initContainer", "container"):
        statuses = {entry["name"]: entry for entry in status.get(f"{kind}Statuses") or ()}
        for container in spec.get(f"{kind}s") or ():
            yield _container(container, statuses.get(container["name"], {}))


def _container(container: Json, status: Json) -> ContainerFacts:
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated") or {}
    waiting, terminated = state.get("waiting") or {}, state.get("terminated") or {}
    limits = (container.get("resources") or {}).get("limits") or {}
    return ContainerFacts(
        name=container["name"],
        ready=bool(status.get("ready")),
        restarts=int(status.get("restartCount") or 0),
        waiting_reason=waiting.get("reason") or "",
        waiting_message=waiting.get("message") or "",
        running_since=parse_time((state.get("running") or {}).get("startedAt")),
        terminated_reason=terminated.get("reason") or "",
        terminated_at=parse_time(terminated.get("finishedAt")),
        last_terminated_reason=last.get("reason") or "",
        last_terminated_at=parse_time(last.get("finishedAt")),
        cpu_limit_cores=parse_quantity(limits["cpu"]) if "cpu" in limits else None,
        memory_limit_bytes=parse_quantity(limits["memory"]) if "memory" in limits else None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionFacts:
    """A condition of any object."""

    type: str
    status: str
    reason: str
    message: str
    changed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkloadFacts:
    """A Deployment, StatefulSet or DaemonSet. Counts that the API leaves out (at 0 replicas) are 0.

    `existing` counts its pods, ready or not, and `updated` those of them that have its last change. A StatefulSet is
    at `one_revision` when its last change is the one that it runs; `updated` says nothing then.
    """

    kind: str
    namespace: str
    name: str
    desired: int
    ready: int
    existing: int
    updated: int
    paused: bool
    strategy: str
    one_revision: bool
    generation: int
    observed_generation: int
    conditions: tuple[ConditionFacts, ...]
    pod_labels: Mapping[str, str]

    @property
    def subject(self) -> str:
        """The workload as a person names it."""
        return f"{self.namespace}/{self.kind}/{self.name}"


def workload_facts(kind: str, workload: Json) -> WorkloadFacts:
    """Facts of one Deployment, StatefulSet or DaemonSet (lists leave an item's own `kind` out)."""
    meta, spec, status = workload["metadata"], workload["spec"], workload.get("status") or {}
    daemon = kind == "DaemonSet"
    desired = status.get("desiredNumberScheduled") if daemon else spec.get("replicas", 1)
    existing = status.get("currentNumberScheduled") if daemon else status.get("replicas")
    updated = status.get("updatedNumberScheduled") if daemon else status.get("updatedReplicas")
    ready = status.get("numberReady") if daemon else status.get("readyReplicas")
    return WorkloadFacts(
        kind=kind,
        namespace=meta["namespace"],
        name=meta["name"],
        desired=desired or 0,
        ready=ready or 0,
        existing=existing or 0,
        updated=updated or 0,
        paused=bool(spec.get("paused")),
        strategy=(spec.get("strategy") or spec.get("updateStrategy") or {}).get("type") or "RollingUpdate",
        one_revision=bool(status.get("updateRevision"))
        and status.get("updateRevision") == status.get("currentRevision"),
        generation=meta.get("generation") or 0,
        observed_generation=status.get("observedGeneration") or 0,
        conditions=condition_facts(status),
        pod_labels=((spec.get("template") or {}).get("metadata") or {}).get("labels") or {},
    )


def condition_facts(status: Json) -> tuple[ConditionFacts, ...]:
    """The conditions of any object's status."""
    return tuple(
        ConditionFacts(
            type=condition["type"],
            status=condition.get("status") or "Unknown",
            reason=condition.get("reason") or "",
            message=condition.get("message") or "",
            changed_at=parse_time(condition.get("lastTransitionTime")),
        )
        for condition in status.get("conditions") or ()
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageFacts:
    """What metrics.k8s.io says that a container of a pod, or a node (no container), uses now."""

    namespace: str
    name: str
    container: str
    cpu_cores: float
    memory_bytes: float


def pod_usage_facts(metrics: Json) -> tuple[UsageFacts, ...]:
    """Facts of one PodMetrics."""
    meta = metrics["metadata"]
    return tuple(
        UsageFacts(
            namespace=meta["namespace"],
            name=meta["name"],
            container=container["name"],
            cpu_cores=parse_quantity(container["usage"]["cpu"]),
            memory_bytes=parse_quantity(container["usage"]["memory"]),
        )
        for container in metrics.get("containers") or ()
    )


def node_usage_facts(metrics: Json) -> UsageFacts:
    """Facts of one NodeMetrics."""
    usage = metrics["usage"]
    return UsageFacts(
        namespace="",
        name=metrics["metadata"]["name"],
        container="",
        cpu_cores=parse_quantity(usage["cpu"]),
        memory_bytes=parse_quantity(usage["memory"]),
    )
