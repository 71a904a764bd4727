"""Nodes, claims and what pods use of what they may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from docrag_ops.core.cluster.facts import Json, PodFacts, UsageFacts, condition_facts
from docrag_ops.core.cluster.quantities import minutes_between, parse_quantity, parse_time
from docrag_ops.core.measurements import Measurement
from docrag_ops.core.units import Unit, format_value

PRESSURE = frozenset({"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"})


def not_ready(nodes: Iterable[Json], now: datetime) -> Iterator[Measurement]:
    """1 for a node that is not Ready (or of which nothing is known), else 0. One that still joins is not judged."""
    for node in nodes:
        ready = next((one for one in condition_facts(node.get("status") or {}) if one.type == "Ready"), None)
        good = ready is not None and ready.status == "True"
        evidence = (
            f"Ready={ready.status} {ready.reason}: {ready.message}"
            if ready
            else "the node has no Ready condition"
        )
        yield Measurement(
            subject=node["metadata"]["name"],
            value=int(not good),
            evidence="" if good else evidence,
            not_judged="" if good else _joining(node, now),
        )


_JOINING_MINUTES = (
    5.0  # image pulls of the network plugin, and metrics-server's first two samples, take minutes
)


def _joining(node: Json, now: datetime) -> str:
    """Why a node that was created just now is not judged yet; empty of any other."""
    created = parse_time(node["metadata"].get("creationTimestamp"))
    if created is None or minutes_between(created, now) >= _JOINING_MINUTES:
        return ""
    return f"created {created:%H:%M} UTC, joins the cluster"


def under_pressure(nodes: Iterable[Json], now: datetime) -> Iterator[Measurement]:
    """Pressure conditions (memory, disk, process ids, network) that a node has."""
    for node in nodes:
        conditions = condition_facts(node.get("status") or {})
        hit = [one for one in conditions if one.type in PRESSURE and one.status == "True"]
        yield Measurement(
            subject=node["metadata"]["name"],
            value=len(hit),
            evidence="; ".join(f"{one.type} {one.reason}: {one.message}" for one in hit),
        )


def cordoned(nodes: Iterable[Json], now: datetime) -> Iterator[Measurement]:
    """1 for a node that takes no new pods, else 0."""
    for node in nodes:
        yield Measurement(
            subject=node["metadata"]["name"], value=int(bool(node["spec"].get("unschedulable")))
        )


SELECTED_NODE = "volume.kubernetes.io/selected-node"


def is_pending(claim: Json) -> bool:
    """Whether a claim still waits for its volume."""
    return (claim.get("status") or {}).get("phase") == "Pending"


def unbound_claim_minutes(
    claims: Iterable[Json], classes: Iterable[Json], now: datetime
) -> Iterator[Measurement]:
    """Minutes that a PersistentVolumeClaim has not been bound; 0 when it is. One that nothing asks for is not judged.

    A class that binds with the first consumer (the default of kind and k3s) leaves a claim Pending until a pod that
    uses it has got a node; a pod that gets none has a check of its own.
    """
    late = {
        one["metadata"]["name"] for one in classes if one.get("volumeBindingMode") == "WaitForFirstConsumer"
    }
    for claim in claims:
        meta, phase = claim["metadata"], (claim.get("status") or {}).get("phase", "Unknown")
        bound, storage = phase == "Bound", claim["spec"].get("storageClassName")
        unasked = (
            is_pending(claim) and storage in late and SELECTED_NODE not in (meta.get("annotations") or {})
        )
        yield Measurement(
            subject=f"{meta['namespace']}/{meta['name']}",
            value=0 if bound else minutes_between(parse_time(meta["creationTimestamp"]), now),
            evidence="" if bound else f"phase {phase}, storage class {storage!r}",
            not_judged=f"storage class {storage!r} binds it with the first pod that uses it"
            if unasked
            else "",
        )


def memory_used(
    pods: Iterable[PodFacts], usage: Iterable[UsageFacts], now: datetime
) -> Iterator[Measurement]:
    """Memory that each container uses, as a ratio of its limit; containers without a limit are left out."""
    return _used_of_limit(pods, usage, "memory_bytes", "memory_limit_bytes", now)


def cpu_used(pods: Iterable[PodFacts], usage: Iterable[UsageFacts], now: datetime) -> Iterator[Measurement]:
    """CPU that each container uses at this moment, as a ratio of its limit; those without a limit are left out."""
    return _used_of_limit(pods, usage, "cpu_cores", "cpu_limit_cores", now)


JUST_STARTED = "a container of its pod has just started, and metrics.k8s.io does not list the pod yet"
_YOUNG_MINUTES = (
    3.0  # metrics-server scrapes every 15 s to 60 s; a younger container may not be in its list yet
)


def _used_of_limit(
    pods: Iterable[PodFacts], usage: Iterable[UsageFacts], used: str, limit: str, now: datetime
) -> Iterator[Measurement]:
    by_container = {(one.namespace, one.name, one.container): getattr(one, used) for one in usage}
    for pod in pods:
        if pod.phase != "Running":
            continue
        for container in pod.containers:
            allowed = getattr(container, limit)
            # An init container that is done stays "ready", and has no usage.
            if not allowed or not container.ready or container.running_since is None:
                continue
            if minutes_between(container.running_since, now) < _YOUNG_MINUTES:
                continue
            value = by_container.get((pod.namespace, pod.name, container.name))
            subject = f"{pod.subject}/{container.name}"
            if value is None and _has_just_started(pod, now):
                yield Measurement(subject=subject, not_judged=JUST_STARTED)
            elif value is None:
                yield Measurement(
                    subject=subject, problem="it runs and is ready, but metrics.k8s.io does not list it"
                )
            else:
                yield Measurement(subject=subject, value=value / allowed, evidence=_of(value, allowed, used))


def _has_just_started(pod: PodFacts, now: datetime) -> bool:
    """Whether a container of the pod is young: until metrics-server has two samples of each, it lists none of them."""
    started = (container.running_since for container in pod.containers)
    return any(at is not None and minutes_between(at, now) < _YOUNG_MINUTES for at in started)


def node_used(
    nodes: Iterable[Json], usage: Iterable[UsageFacts], resource: str, now: datetime
) -> Iterator[Measurement]:
    """CPU or memory in use on each node, as a ratio of what is allocatable. One that still joins may have none."""
    by_node: Mapping[str, UsageFacts] = {one.name: one for one in usage}
    for node in nodes:
        name, used = node["metadata"]["name"], by_node.get(node["metadata"]["name"])
        allocatable = parse_quantity(((node.get("status") or {}).get("allocatable") or {}).get(resource, 0))
        joining = "" if allocatable and used else _joining(node, now)
        if joining:
            yield Measurement(subject=name, not_judged=joining)
        elif not allocatable:
            yield Measurement(
                subject=name, problem=f"the node does not say how much {resource} is allocatable"
            )
        elif used is None:
            yield Measurement(subject=name, problem="metrics.k8s.io does not list this node")
        else:
            value = used.cpu_cores if resource == "cpu" else used.memory_bytes
            yield Measurement(
                subject=name, value=value / allocatable, evidence=_of(value, allocatable, resource)
            )


def _of(value: float, whole: float, resource: str) -> str:
    if resource.startswith("cpu"):
        return f"{value:.3g} of {whole:.3g} cores"
    return f"{format_value(value, Unit.BYTES)} of {format_value(whole, Unit.BYTES)}"
