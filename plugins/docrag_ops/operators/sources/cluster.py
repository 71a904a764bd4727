"""`measure: {cluster: NAME}`: the objects of the cluster, each kind read once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from docrag_ops.core.checks import Check
from docrag_ops.core.cluster import facts, nodes, pods, workloads
from docrag_ops.core.environments import ClusterSection
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.core.measurements import Measured, Measurement, Outcome
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.operators.asking import Answers, Asking, answer_each

log = logging.getLogger(__name__)

NAMESPACED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "pods": ("/api/v1/namespaces/{}/pods", facts.pod_facts),
    "deployments": ("/apis/apps/v1/namespaces/{}/deployments", partial(facts.workload_facts, "Deployment")),
    "statefulsets": (
        "/apis/apps/v1/namespaces/{}/statefulsets",
        partial(facts.workload_facts, "StatefulSet"),
    ),
    "daemonsets": ("/apis/apps/v1/namespaces/{}/daemonsets", partial(facts.workload_facts, "DaemonSet")),
    "jobs": ("/apis/batch/v1/namespaces/{}/jobs", dict),
    "autoscalers": ("/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers", dict),
    "services": ("/api/v1/namespaces/{}/services", dict),
    "slices": ("/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices", dict),
    "claims": ("/api/v1/namespaces/{}/persistentvolumeclaims", dict),
    "pod_usage": ("/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods", facts.pod_usage_facts),
}
CLUSTER_WIDE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "nodes": ("/api/v1/nodes", dict),
    "storage_classes": ("/apis/storage.k8s.io/v1/storageclasses", dict),
    "node_usage": ("/apis/metrics.k8s.io/v1beta1/nodes", facts.node_usage_facts),
}

CLUSTER_SUBJECTS = frozenset(
    {
        "namespaces",
        "nodes_not_ready",
        "nodes_under_pressure",
        "nodes_cordoned",
        "node_memory_used",
        "node_cpu_used",
    }
)


class _Cluster:
    """Each kind of object is read once, and a failure to read it is remembered too."""

    MOST_FAILURES = 2

    def __init__(self, hook: ClusterHook, section: ClusterSection, asking: Asking) -> None:
        self.section = section
        self.now = asking.now
        self._hook = hook
        self._read: dict[str, list[Any] | CouldNotMeasureError] = {}
        self._missing: list[str] = []

    def require_reachable(self) -> None:
        """Stop asking when the API server does not answer at all, or again and again.

        :raises UnreachableError: the failure, so that the remaining questions are not asked.
        """
        failures = [one for one in self._read.values() if isinstance(one, UnreachableError)]
        if len(failures) >= self.MOST_FAILURES or isinstance(self._read.get("namespaces"), UnreachableError):
            raise failures[0]

    def read(self, kind: str) -> list[Any]:
        """All objects of a kind, in the namespaces that exist."""
        return self._remember(kind, partial(self._list, kind))

    def workloads(self) -> list[facts.WorkloadFacts]:
        """Deployments, StatefulSets and DaemonSets."""
        return [*self.read("deployments"), *self.read("statefulsets"), *self.read("daemonsets")]

    def pod_usage(self) -> list[facts.UsageFacts]:
        """What each container uses now."""
        return [one for pod in self.read("pod_usage") for one in pod]

    def parked_workloads(self) -> dict[bool, list[facts.WorkloadFacts]]:
        """Workloads by whether they are meant to be at 0; when they cannot be read, none is."""
        try:
            return workloads.parked(self.workloads(), self.section.workloads)
        except CouldNotMeasureError as error:
            log.warning("What is scaled to 0 cannot be seen: %s", error)
            return {True: [], False: []}

    def classes_of_pending(self) -> list[Any]:
        """The storage classes, where a claim is pending; without the right to see them, it is judged as of any."""
        try:
            return self.read("storage_classes") if any(map(nodes.is_pending, self.read("claims"))) else []
        except CouldNotMeasureError as error:
            log.warning("How claims are bound cannot be seen: %s", error)
            return []

    def namespace_measurements(self) -> list[Measurement]:
        """0 for each namespace that exists; a missing one is a problem."""
        there = self._remember("namespaces", self._existing_namespaces)
        return [Measurement(subject=name, value=0) for name in there] + self.lost_namespaces()

    def lost_namespaces(self) -> list[Measurement]:
        """A problem for each namespace that does not exist: it would list as empty, without an error."""
        self._remember("namespaces", self._existing_namespaces)
        return [
            Measurement(subject=name, problem=f"the namespace {name!r} does not exist")
            for name in self._missing
        ]

    def _existing_namespaces(self) -> list[str]:
        there = [
            name
            for name in self.section.namespaces
            if self._hook.get(f"/api/v1/namespaces/{name}") is not None
        ]
        self._missing = [name for name in self.section.namespaces if name not in there]
        return there

    def _list(self, kind: str) -> list[Any]:
        if kind in CLUSTER_WIDE:
            path, to_facts = CLUSTER_WIDE[kind]
            return self._hook.list_items(path, to_facts)
        path, to_facts = NAMESPACED[kind]
        there = self._remember("namespaces", self._existing_namespaces)
        return [one for name in there for one in self._hook.list_items(path.format(name), to_facts)]

    def _remember(self, name: str, read: Callable[[], list[Any]]) -> list[Any]:
        if name not in self._read:
            try:
                self._read[name] = read()
            except CouldNotMeasureError as error:
                self._read[name] = error
        kept = self._read[name]
        if isinstance(kept, CouldNotMeasureError):
            raise CouldNotMeasureError(str(kept))  # not unreachable: other kinds may still be read
        return kept


Question = Callable[[_Cluster], Iterable[Measurement]]

QUESTIONS: dict[str, Question] = {
    "namespaces": lambda c: c.namespace_measurements(),
    "crash_looping": lambda c: pods.crash_looping(c.read("pods"), c.now),
    "image_not_pulled": lambda c: pods.image_not_pulled(c.read("pods"), c.now),
    "not_startable": lambda c: pods.not_startable(c.read("pods"), c.now),
    "unschedulable_minutes": lambda c: pods.unschedulable_minutes(c.read("pods"), c.now),
    "terminating_minutes": lambda c: pods.terminating_minutes(c.read("pods"), c.now),
    "not_ready_minutes": lambda c: pods.not_ready_minutes(c.read("pods"), c.now),
    "restarts": lambda c: pods.restarts(c.read("pods"), c.now),
    "out_of_memory_kills": lambda c: pods.out_of_memory_kills(c.read("pods"), c.now),
    "evicted": lambda c: pods.evicted(c.read("pods"), c.now),
    "failed_pods": lambda c: pods.failed(c.read("pods"), c.now),
    "missing_workloads": lambda c: workloads.missing_workloads(c.workloads(), c.section.workloads, c.now),
    "missing_replicas": lambda c: workloads.missing_replicas(c.workloads(), c.now),
    "stale_rollouts": lambda c: workloads.stale_rollouts(c.workloads(), c.now),
    "failed_jobs": lambda c: workloads.failed_jobs(c.read("jobs"), c.now),
    "running_job_minutes": lambda c: workloads.running_job_minutes(c.read("jobs"), c.now),
    "autoscaler_limited_minutes": lambda c: workloads.autoscaler_limited_minutes(
        c.read("autoscalers"), c.now
    ),
    "autoscalers_unable": lambda c: workloads.autoscalers_unable(c.read("autoscalers"), c.now),
    "services_without_endpoints": lambda c: workloads.services_without_endpoints(
        c.read("services"), c.read("slices"), c.parked_workloads(), c.now
    ),
    "nodes_not_ready": lambda c: nodes.not_ready(c.read("nodes"), c.now),
    "nodes_under_pressure": lambda c: nodes.under_pressure(c.read("nodes"), c.now),
    "nodes_cordoned": lambda c: nodes.cordoned(c.read("nodes"), c.now),
    "unbound_claim_minutes": lambda c: nodes.unbound_claim_minutes(
        c.read("claims"), c.classes_of_pending(), c.now
    ),
    "memory_used": lambda c: nodes.memory_used(c.read("pods"), c.pod_usage(), c.now),
    "cpu_used": lambda c: nodes.cpu_used(c.read("pods"), c.pod_usage(), c.now),
    "node_memory_used": lambda c: nodes.node_used(c.read("nodes"), c.read("node_usage"), "memory", c.now),
    "node_cpu_used": lambda c: nodes.node_used(c.read("nodes"), c.read("node_usage"), "cpu", c.now),
}


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question; what does not exist any more (a namespace) is a problem in every check that looks there."""
    if asking.environment.cluster is None:
        raise CouldNotMeasureError("the environment has no section 'cluster'")
    cluster = _Cluster(ClusterHook(), asking.environment.cluster, asking)

    def ask(check: Check) -> Outcome:
        cluster.require_reachable()
        found = tuple(QUESTIONS[check.asked](cluster))
        lost = () if check.asked in CLUSTER_SUBJECTS else tuple(cluster.lost_namespaces())
        return Measured((*found, *lost))

    return answer_each(checks, ask)
