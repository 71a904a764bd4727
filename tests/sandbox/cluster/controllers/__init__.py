"""Small functions that derive what a cluster's controllers derive.

`reconcile` creates what must exist: nodes, volumes, ReplicaSets, and pods that run.
`settle` recomputes what follows from the pods as they are now (counts, conditions, endpoints, autoscalers).
"""

from __future__ import annotations

from tests.sandbox.cluster.controllers import (
    autoscaling,
    daemonsets,
    deployments,
    endpoints,
    jobs,
    nodes,
    replicasets,
    scanner,
    statefulsets,
    volumes,
)
from tests.sandbox.cluster.world import World


def reconcile(world: World) -> None:
    nodes.create(world)
    volumes.bind(world)
    deployments.create_replica_sets(world)
    for create_pods in (
        statefulsets.create_pods,
        replicasets.create_pods,
        daemonsets.create_pods,
        jobs.create_pods,
    ):
        create_pods(world)


def settle(world: World) -> None:
    replicasets.settle(world)
    deployments.settle(world)
    statefulsets.settle(world)
    daemonsets.settle(world)
    jobs.settle(world)
    endpoints.derive(world)
    autoscaling.settle(world)
    scanner.report(world)
