"""Services that reach nobody."""

from __future__ import annotations

from tests.sandbox.cluster.faults.bystanders import NAMESPACE
from tests.sandbox.cluster.faults.registry import Since, fault
from tests.sandbox.cluster.world import World


@fault()
def service_without_endpoints(world: World, since: Since) -> None:
    """The Service nginx selects a label that no pod has; its pods are all well."""
    world.need("Service", NAMESPACE, "nginx")["spec"]["selector"] = {"app": "nginx-web"}
