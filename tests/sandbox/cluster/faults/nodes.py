"""A node in trouble. node-3 carries bystanders only."""

from __future__ import annotations

from tests.sandbox.cluster.faults import bystanders
from tests.sandbox.cluster.faults.registry import Since, fault
from tests.sandbox.cluster.world import World, conditions_of

VICTIM = "node-3"


@fault()
def node_not_ready(world: World, since: Since) -> None:
    """node-3's kubelet stopped reporting: its pods read Running, are not ready, and cannot be reached."""
    node = world.need("Node", "", VICTIM)
    for entry in node["status"]["conditions"]:
        entry.update(
            status="Unknown",
            reason="NodeStatusUnknown",
            message="Kubelet stopped posting node status.",
            lastTransitionTime=since.ago(25),
            lastHeartbeatTime=since.ago(26),
        )
    node["spec"]["taints"] = [
        {"key": "node.kubernetes.io/unreachable", "effect": effect, "timeAdded": since.ago(25)}
        for effect in ("NoSchedule", "NoExecute")
    ]
    node["sandbox"] = {"unreachable": True}
    for pod in world.all("Pod"):
        if pod["spec"].get("nodeName") == VICTIM and pod["status"]["phase"] == "Running":
            pod.setdefault("sandbox", {})["unmeasured"] = True
            for entry in pod["status"]["conditions"]:
                if entry["type"] == "Ready":
                    entry.update(status="False", lastTransitionTime=since.ago(25))
    message = f"Node {VICTIM} status is now: NodeNotReady"
    bystanders.event(world, node, "NodeNotReady", message, since.ago(25), 1, "node-controller")


@fault()
def node_disk_pressure(world: World, since: Since) -> None:
    """node-3 is short of disk space; it takes no new pods."""
    node = world.need("Node", "", VICTIM)
    conditions_of(node)["DiskPressure"].update(
        status="True",
        reason="KubeletHasDiskPressure",
        message="kubelet has disk pressure",
        lastTransitionTime=since.ago(30),
    )
    node["spec"].setdefault("taints", []).append(
        {"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule", "timeAdded": since.ago(30)}
    )
