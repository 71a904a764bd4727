"""Pods that should be ready and are not, by reason; restarts, out-of-memory kills and evictions.

Every function measures all pods it is given, so that "0" means "looked at and well", never "nothing looked at".
A pod has one reason: the most telling one, so that a fault does not show twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from docrag_ops.core.cluster.facts import ContainerFacts, PodFacts
from docrag_ops.core.cluster.quantities import minutes_between
from docrag_ops.core.measurements import Measurement

CRASH_LOOP = frozenset({"CrashLoopBackOff"})
IMAGE = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
)
START = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "PreCreateHookError",
        "PostStartHookError",
    }
)
_OOM_WINDOW_MINUTES = 24 * 60.0


def crash_looping(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """Containers in CrashLoopBackOff, per pod."""
    return _waiting_for(pods, CRASH_LOOP)


def image_not_pulled(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """Containers whose image cannot be pulled, per pod."""
    return _waiting_for(pods, IMAGE)


def not_startable(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """Containers that cannot be created or started (missing ConfigMap, bad command …), per pod."""
    return _waiting_for(pods, START)


def _waiting_for(pods: Iterable[PodFacts], reasons: frozenset[str]) -> Iterator[Measurement]:
    for pod in pods:
        hit = [container for container in pod.containers if container.waiting_reason in reasons]
        yield Measurement(
            subject=pod.subject,
            value=len(hit) if not pod.finished and pod.deletion_at is None else 0,
            evidence="; ".join(_waiting_text(container) for container in hit),
        )


def _waiting_text(container: ContainerFacts) -> str:
    last = f", last exit: {container.last_terminated_reason}" if container.last_terminated_reason else ""
    return (
        f"container {container.name}: {container.waiting_reason} ({container.waiting_message or 'no message'}), "
        f"{container.restarts} restarts{last}"
    )


def unschedulable_minutes(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """Minutes that a pod has been waiting for a node; 0 when it has one."""
    for pod in pods:
        waiting = pod.unscheduled_reason and not pod.finished and pod.deletion_at is None
        yield Measurement(
            subject=pod.subject,
            value=minutes_between(pod.created_at, now) if waiting else 0,
            evidence=f"{pod.unscheduled_reason}: {pod.unscheduled_message}" if waiting else "",
        )


def terminating_minutes(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """Minutes past the end of a deleted pod's grace period; 0 when it is not being deleted."""
    for pod in pods:
        yield Measurement(
            subject=pod.subject,
            value=minutes_between(pod.deletion_at, now),
            evidence=f"should have been gone at {pod.deletion_at.isoformat()}" if pod.deletion_at else "",
        )


def not_ready_minutes(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """Minutes that a pod has not been ready, for no reason that has a check of its own.

    Finished pods, pods of Jobs (judged by their Job), pods being deleted and pods not scheduled count as 0.
    """
    told = CRASH_LOOP | IMAGE | START
    for pod in pods:
        elsewhere = (
            pod.finished
            or pod.owner_kind == "Job"
            or pod.deletion_at is not None
            or bool(pod.unscheduled_reason)
            or any(container.waiting_reason in told for container in pod.containers)
        )
        bad = not pod.ready and not elsewhere
        yield Measurement(
            subject=pod.subject,
            value=minutes_between(pod.ready_changed_at or pod.created_at, now) if bad else 0,
            evidence=_not_ready_text(pod) if bad else "",
        )


def _not_ready_text(pod: PodFacts) -> str:
    waiting = [
        f"container {container.name}: {container.waiting_reason or container.terminated_reason or _running(container)}"
        for container in pod.containers
        if not container.ready and container.terminated_reason != "Completed"
    ]
    return "; ".join([f"phase {pod.phase}, {pod.ready_message}", *waiting])


def _running(container: ContainerFacts) -> str:
    return "running, not ready" if container.running_since else "no status"


def restarts(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """Restarts of all containers of a pod since it was created (a counter; the pod's uid is its epoch)."""
    for pod in pods:
        yield Measurement(
            subject=pod.subject,
            value=sum(container.restarts for container in pod.containers),
            epoch=pod.uid,
            evidence="; ".join(
                f"container {container.name}: {container.restarts} in all, last exit "
                f"{container.last_terminated_reason or 'unknown'}"
                for container in pod.containers
                if container.restarts
            ),
        )


def out_of_memory_kills(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """Containers of a pod that were OOMKilled, now or at their last end, within 24 hours. Sees one kill each."""
    for pod in pods:
        hit = [(one.name, at, one.restarts) for one in pod.containers for at in _out_of_memory(one, now)]
        yield Measurement(
            subject=pod.subject,
            value=len(hit),
            evidence="; ".join(
                f"container {name}: OOMKilled at {at or 'an unknown time'}, {restarts} restarts"
                for name, at, restarts in hit
            ),
        )


def _out_of_memory(container: ContainerFacts, now: datetime) -> list[datetime | None]:
    """When the container was last killed so, if it was within the window."""
    ends = (
        (container.terminated_reason, container.terminated_at),
        (container.last_terminated_reason, container.last_terminated_at),
    )
    killed = [at for reason, at in ends if reason == "OOMKilled"]
    return [at for at in killed if minutes_between(at, now) <= _OOM_WINDOW_MINUTES][:1]


def evicted(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """1 for a pod that its node evicted and that is still listed, else 0."""
    return _failed_pods(pods, lambda pod: pod.reason == "Evicted")


def failed(pods: Iterable[PodFacts], now: datetime) -> Iterator[Measurement]:
    """1 for a pod that failed for another reason than eviction and belongs to no Job, else 0."""
    return _failed_pods(pods, lambda pod: pod.reason != "Evicted" and pod.owner_kind != "Job")


def _failed_pods(pods: Iterable[PodFacts], concerns: Callable[[PodFacts], bool]) -> Iterator[Measurement]:
    for pod in pods:
        hit = pod.phase == "Failed" and concerns(pod)
        yield Measurement(subject=pod.subject, value=int(hit), evidence=_failure_text(pod) if hit else "")


def _failure_text(pod: PodFacts) -> str:
    """The pod's own words; a pod that failed because its containers did has none."""
    ends = [f"container {one.name}: {one.terminated_reason}" for one in pod.containers if one.failed]
    own = ": ".join(part for part in (pod.reason, pod.message) if part)
    return "; ".join(part for part in (own, *ends) if part) or "it does not say why"
