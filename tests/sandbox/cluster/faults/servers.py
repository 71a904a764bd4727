"""The API server and the metrics server. Requests are turned away by gate.py and the listener."""

from __future__ import annotations

from tests.sandbox.cluster.faults.autoscalers import without_metrics
from tests.sandbox.cluster.faults.registry import Since, fault
from tests.sandbox.cluster.world import World


@fault(settled=True)
def metrics_api_absent(world: World, since: Since) -> None:
    """No metrics-server is installed: 404, in plain text; autoscalers know nothing."""
    without_metrics(world, since.ago(40))


@fault(settled=True)
def metrics_api_down(world: World, since: Since) -> None:
    """The metrics-server is down: 503, in plain text; autoscalers know nothing."""
    without_metrics(world, since.ago(40))


@fault()
def cluster_slow(world: World, since: Since) -> None:
    """The API server takes every request and answers none."""


@fault()
def cluster_refuses(world: World, since: Since) -> None:
    """The API server's port is closed."""
