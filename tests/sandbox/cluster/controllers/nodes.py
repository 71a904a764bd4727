"""Nodes, as the kubelets of a small managed cluster report them."""

from __future__ import annotations

from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.quantities import quantity
from tests.sandbox.cluster.world import World, condition, new

CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
INFO = {
    "architecture": "amd64",
    "containerRuntimeVersion": "containerd://1.7.24",
    "kernelVersion": "6.1.0-28-amd64",
    "kubeProxyVersion": "v1.32.4",
    "kubeletVersion": "v1.32.4",
    "operatingSystem": "linux",
    "osImage": "Debian GNU/Linux 12 (bookworm)",
}


def create(world: World) -> None:
    for described in world.profile["nodes"]:
        if world.get("Node", "", described["name"]) is None:
            world.put(build(world, described))


def build(
    world: World, described: dict[str, Any], taints: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    name, since = described["name"], world.after(1)
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "topology.kubernetes.io/zone": described["zone"],
    }
    memory_kibibytes = int(quantity(described["memory"])) // 1024
    capacity = {
        "cpu": described["cpu"],
        "ephemeral-storage": described["storage"],
        "hugepages-2Mi": "0",
        "memory": f"{memory_kibibytes}Ki",
        "pods": "110",
    }
    allocatable = capacity | {
        "cpu": f"{int(quantity(described['cpu']) * 1000) - 80}m",
        "memory": f"{memory_kibibytes - 512 * 1024}Ki",
    }
    spec: dict[str, Any] = {
        "podCIDR": f"10.244.{described['address'].split('.')[-1]}.0/24",
        "providerID": f"sandbox:///{name}",
    }
    if taints:
        spec["taints"] = taints
    status = {
        "addresses": [
            {"type": "InternalIP", "address": described["address"]},
            {"type": "Hostname", "address": name},
        ],
        "capacity": capacity,
        "allocatable": allocatable,
        "conditions": [
            condition(condition_name, status, reason, message, since, lastHeartbeatTime=since)
            for condition_name, status, reason, message in CONDITIONS
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": INFO
        | {
            "machineID": identity.uid("machine", name).replace("-", ""),
            "systemUUID": identity.uid("system", name),
            "bootID": identity.uid("boot", name),
        },
    }
    return new(
        "Node",
        "",
        name,
        uid=identity.uid("Node", name),
        created=world.after(),
        labels=labels,
        spec=spec,
        status=status,
    )
