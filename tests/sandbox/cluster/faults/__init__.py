"""What can go wrong in the cluster: a function per fault, which alters the world as the real trouble would.

A fault acts on a bystander (nginx, fluentd, the scanner) wherever it can, so that the service itself goes on.
What follows from it (counts, conditions, endpoints) is left to the controllers, except for the few faults that
are about the controllers' own reports: those act after the controllers (`settled=True`).
"""

from tests.sandbox.cluster.faults import (
    autoscalers,
    nodes,
    pods,
    security,
    servers,
    services,
    volumes,
    workloads,
)
from tests.sandbox.cluster.faults.registry import ALL, Since, apply

__all__ = [
    "ALL",
    "Since",
    "apply",
    "autoscalers",
    "nodes",
    "pods",
    "security",
    "servers",
    "services",
    "volumes",
    "workloads",
]
