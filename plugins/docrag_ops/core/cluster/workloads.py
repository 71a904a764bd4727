"""Workloads: replicas, generations, Jobs, autoscalers, Services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from docrag_ops.core.cluster.facts import ConditionFacts, Json, WorkloadFacts, condition_facts
from docrag_ops.core.cluster.quantities import minutes_between, parse_time
from docrag_ops.core.environments import Workload
from docrag_ops.core.measurements import Measurement


def missing_replicas(workloads: Iterable[WorkloadFacts], now: datetime) -> Iterator[Measurement]:
    """Share of the desired replicas that is not ready, 0-1."""
    for workload in workloads:
        missing = max(0, workload.desired - workload.ready)
        yield Measurement(
            subject=workload.subject,
            value=missing / workload.desired if workload.desired else 0,
            evidence=f"{workload.ready} of {workload.desired} replicas ready",
        )


def stale_rollouts(workloads: Iterable[WorkloadFacts], now: datetime) -> Iterator[Measurement]:
    """1 for a workload whose last change has not been acted on, whose rollout got stuck or is held back, else 0."""
    for workload in workloads:
        trouble = _rollout_trouble(workload)
        yield Measurement(subject=workload.subject, value=int(bool(trouble)), evidence=trouble)


def _rollout_trouble(workload: WorkloadFacts) -> str:
    if workload.observed_generation < workload.generation:
        return f"generation {workload.generation}, but the controller saw {workload.observed_generation}"
    for condition in workload.conditions:
        stuck = condition.type == "Progressing" and condition.reason == "ProgressDeadlineExceeded"
        if stuck or (condition.type == "ReplicaFailure" and condition.status == "True"):
            return f"{condition.reason}: {condition.message}"
    return _held_back(workload)


def _held_back(workload: WorkloadFacts) -> str:
    """What keeps pods at an older version until a person acts; a partition does so on purpose and is none.

    Pods that are wanted and do not exist yet are missing, and no older version.
    """
    behind = workload.updated < min(workload.desired, workload.existing) and not workload.one_revision
    pods = f"{workload.updated} of {workload.desired} pods have the last change"
    if behind and workload.paused:
        return f"paused: {pods}"
    if behind and workload.strategy == "OnDelete":
        return f"strategy OnDelete: {pods}, the others get it when somebody deletes them"
    return ""


def missing_workloads(
    workloads: Iterable[WorkloadFacts], expected: Mapping[str, Workload], now: datetime
) -> Iterator[Measurement]:
    """0 for each workload that the environment names, 1 when no replica of it is wanted.

    A missing one has no measurement.
    """
    there = {(workload.kind, workload.namespace, workload.name): workload for workload in workloads}
    for name, workload in expected.items():
        subject = f"{workload.namespace}/{workload.kind}/{name}"
        found = there.get((workload.kind, workload.namespace, name))
        if found is None:
            yield Measurement(
                subject=subject, problem=f"the cluster has no {workload.kind} {name!r} in this namespace"
            )
        else:
            none = found.desired == 0
            yield Measurement(
                subject=subject,
                value=int(none),
                evidence="it exists, but no replica is wanted" if none else "",
            )


def failed_jobs(jobs: Iterable[Json], now: datetime) -> Iterator[Measurement]:
    """1 for a Job that failed, else 0; of a CronJob only the newest finished Job counts."""
    newest: dict[tuple[str, str], tuple[datetime, str]] = {}
    listed = list(jobs)
    for job in listed:
        family, created = _family(job), parse_time(job["metadata"]["creationTimestamp"])
        if created and _ended(job) and created >= newest.get(family, (created, ""))[0]:
            newest[family] = (created, job["metadata"]["name"])
    for job in listed:
        meta = job["metadata"]
        condition = _ended(job)
        current = newest.get(_family(job), (None, ""))[1] == meta["name"]
        bad = bool(condition and condition.type == "Failed" and current)
        yield Measurement(
            subject=f"{meta['namespace']}/{meta['name']}",
            value=int(bad),
            evidence=f"{condition.reason}: {condition.message}" if condition and bad else "",
        )


def running_job_minutes(jobs: Iterable[Json], now: datetime) -> Iterator[Measurement]:
    """Minutes that an unfinished Job has been running; 0 when it ended or is suspended."""
    for job in jobs:
        started = parse_time((job.get("status") or {}).get("startTime"))
        idle = _ended(job) is not None or job["spec"].get("suspend")
        yield Measurement(
            subject=f"{job['metadata']['namespace']}/{job['metadata']['name']}",
            value=0 if idle else minutes_between(started, now),
            evidence="" if idle else f"started {started.isoformat() if started else 'never'}",
        )


def _family(job: Json) -> tuple[str, str]:
    meta = job["metadata"]
    owner = next(
        (owner for owner in meta.get("ownerReferences") or () if owner.get("kind") == "CronJob"), None
    )
    return (meta["namespace"], owner["name"] if owner else f"job {meta['name']}")


def _ended(job: Json) -> ConditionFacts | None:
    conditions = condition_facts(job.get("status") or {})
    return next(
        (one for one in conditions if one.type in ("Complete", "Failed") and one.status == "True"), None
    )


def autoscaler_limited_minutes(autoscalers: Iterable[Json], now: datetime) -> Iterator[Measurement]:
    """Minutes that an HPA has wanted more replicas than its maximum allows; 0 when it does not."""
    for autoscaler in autoscalers:
        limited = _condition(autoscaler, "ScalingLimited")
        bad = limited is not None and limited.status == "True" and limited.reason == "TooManyReplicas"
        yield Measurement(
            subject=_subject(autoscaler),
            value=minutes_between(_limited_since(autoscaler, limited), now) if limited and bad else 0,
            evidence=f"{limited.message}; maxReplicas {autoscaler['spec']['maxReplicas']}"
            if limited and bad
            else "",
        )


def _limited_since(autoscaler: Json, limited: ConditionFacts) -> datetime | None:
    """When the maximum began to hold it back.

    The condition's own time is that of its status: from TooFewReplicas (a quiet night) to TooManyReplicas it stays
    True. But what is at its maximum was scaled there.
    """
    scaled = parse_time((autoscaler.get("status") or {}).get("lastScaleTime"))
    return max(filter(None, (limited.changed_at, scaled)), default=None)


def autoscalers_unable(autoscalers: Iterable[Json], now: datetime) -> Iterator[Measurement]:
    """1 for an HPA that cannot read its metrics or cannot scale, else 0. One without conditions has no measurement."""
    for autoscaler in autoscalers:
        conditions = [_condition(autoscaler, name) for name in ("AbleToScale", "ScalingActive")]
        broken = [
            one for one in conditions if one and one.status != "True" and one.reason != "ScalingDisabled"
        ]
        if not any(conditions):
            yield Measurement(
                subject=_subject(autoscaler), problem="the HPA has no conditions: no controller looked at it"
            )
        else:
            yield Measurement(
                subject=_subject(autoscaler),
                value=int(bool(broken)),
                evidence="; ".join(f"{one.type}={one.status} {one.reason}: {one.message}" for one in broken),
            )


def _condition(item: Json, name: str) -> ConditionFacts | None:
    return next((one for one in condition_facts(item.get("status") or {}) if one.type == name), None)


def _subject(item: Json) -> str:
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def parked(
    workloads: Iterable[WorkloadFacts], expected: Mapping[str, Workload]
) -> dict[bool, list[WorkloadFacts]]:
    """True: the workloads that somebody scaled to 0 and the environment does not name; False: all others."""
    named = {(one.kind, one.namespace, name) for name, one in expected.items()}
    found: dict[bool, list[WorkloadFacts]] = {True: [], False: []}
    for one in workloads:
        found[one.desired == 0 and (one.kind, one.namespace, one.name) not in named].append(one)
    return found


def services_without_endpoints(
    services: Iterable[Json],
    slices: Iterable[Json],
    workloads: Mapping[bool, Iterable[WorkloadFacts]],
    now: datetime,
) -> Iterator[Measurement]:
    """1 for a Service with a selector and no ready endpoint, else 0. An ExternalName is a name, whatever it selects.

    One that selects `parked` workloads only is not judged.
    """
    ready = _ready_endpoints(slices)
    for service in services:
        spec, subject = service["spec"], _subject(service)
        if not spec.get("selector") or spec.get("type") == "ExternalName":
            continue
        none = ready.get(subject, 0) == 0
        at_zero = none and _selects(service, workloads[True]) and not _selects(service, workloads[False])
        yield Measurement(
            subject=subject,
            value=int(none),
            evidence="0 ready endpoints" if none else "",
            not_judged="what it selects is scaled to 0 replicas" if at_zero else "",
        )


def _ready_endpoints(slices: Iterable[Json]) -> dict[str, int]:
    """How many endpoints of each Service are ready."""
    ready: dict[str, int] = {}
    for part in slices:
        service = (part["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        key = f"{part['metadata']['namespace']}/{service}"
        # A missing `ready` condition means "unknown, treat as ready": see the EndpointSlice API reference.
        count = sum(
            (end.get("conditions") or {}).get("ready") is not False for end in part.get("endpoints") or ()
        )
        ready[key] = ready.get(key, 0) + count
    return ready


def _selects(service: Json, workloads: Iterable[WorkloadFacts]) -> bool:
    wanted, namespace = set(service["spec"]["selector"].items()), service["metadata"]["namespace"]
    return any(one.namespace == namespace and wanted <= set(one.pod_labels.items()) for one in workloads)
