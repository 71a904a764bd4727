"""Healthy pods by the thousand, for measuring: made as bytes, never as dictionaries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox.cluster import defaults, identity
from tests.sandbox.cluster.controllers import deployments, nodes, pods
from tests.sandbox.cluster.kinds import Resource, built_in
from tests.sandbox.cluster.quantities import quantity
from tests.sandbox.cluster.store import Key, Record, Store
from tests.sandbox.cluster.usage import Used
from tests.sandbox.cluster.world import World

Object = dict[str, Any]
MANIFEST = Path(__file__).parent / "data" / "synthetic.yaml"
PODS_PER_NODE = 100
POD, NODE = built_in("Pod"), built_in("Node")
SUFFIX, UID, ADDRESS, CONTAINER = "@suffix@", "@uid@", "@address@", "@container@"
TAINT = {"key": "dedicated", "value": "synthetic", "effect": "NoSchedule"}


class Synthetic:
    """Pods of one more Deployment, on nodes of their own, so that nobody else's figures change."""

    def __init__(self, world: World, store: Store) -> None:
        self.world, self.store = world, store
        self.nodes: list[Object] = []
        self.pods_on: dict[str, int] = {}
        self._keys: dict[Resource, set[Key]] = {}
        self._used: list[Used] = []

    def keys(self, resource: Resource) -> set[Key]:
        return self._keys.get(resource, set())

    def replace(self, count: int, namespace: str) -> None:
        """Have exactly this many, in this namespace; 0 removes every trace."""
        self._clear()
        if not count:
            return
        deployment, replica_set = self._workload(count, namespace)
        self._used = _used(deployment)
        self._put(built_in("Deployment"), deployment)
        self._put(built_in("ReplicaSet"), replica_set)
        for first in range(0, count, PODS_PER_NODE):
            node = self._node(first // PODS_PER_NODE)
            self._put(NODE, node)
            numbers = range(first, min(first + PODS_PER_NODE, count))
            self._pods(replica_set, node, numbers)
            self.pods_on[node["metadata"]["name"]] = len(numbers)

    def publish_nodes(self) -> None:
        for node in self.nodes:
            self.store.put(NODE, node)

    def usage(self) -> Iterator[tuple[Object, list[Used]]]:
        """The metadata that metrics need, and the usage, of every synthetic pod."""
        for record in self.store.all(POD) if self._used else ():
            if record.key in self.keys(POD):
                namespace, name = record.key
                yield {"name": name, "namespace": namespace, "labels": record.labels}, self._used

    def node_usage(self) -> Iterator[tuple[str, float, float]]:
        """Node, cores and bytes."""
        cores, memory = sum(u.cpu_cores for u in self._used), sum(u.memory_bytes for u in self._used)
        return ((node, cores * count, memory * count) for node, count in self.pods_on.items())

    def _clear(self) -> None:
        for resource, keys in self._keys.items():
            for key in keys:
                self.store.remove(resource, key)
        self._keys, self.nodes, self._used, self.pods_on = {}, [], [], {}
        self.store.forget_history()

    def _put(self, resource: Resource, obj: Object) -> None:
        self._keys.setdefault(resource, set()).add(self.store.put(resource, obj).key)

    def _workload(self, count: int, namespace: str) -> tuple[Object, Object]:
        """A Deployment and its ReplicaSet, with the status of a rollout that has ended."""
        scratch = World(self.world.epoch, self.world.registry, self.world.profile)
        deployment = yaml.safe_load(MANIFEST.read_text())
        deployment["metadata"] |= {
            "namespace": namespace,
            "uid": identity.uid("synthetic", namespace),
            "creationTimestamp": self.world.after(60),
            "generation": 1,
        }
        deployment["spec"]["replicas"] = count
        defaults.fill(deployment)
        scratch.put(deployment)
        deployments.create_replica_sets(scratch)
        deployments.settle(scratch)
        counts = {"replicas": count, "readyReplicas": count, "availableReplicas": count}
        replica_set = scratch.all("ReplicaSet")[0]
        replica_set["status"] = {"observedGeneration": 1, "fullyLabeledReplicas": count, **counts}
        deployment["status"] = {
            "observedGeneration": 1,
            "updatedReplicas": count,
            **counts,
            "conditions": deployments.settled_conditions(scratch, deployment),
        }
        return deployment, replica_set

    def _node(self, index: int) -> Object:
        described = {
            "name": f"synthetic-node-{index + 1:03}",
            "cpu": "16",
            "memory": "65536Mi",
            "storage": "200Gi",
            "address": f"10.1.{index // 250}.{index % 250 + 2}",
            "zone": "zone-a",
        }
        node = nodes.build(self.world, described, taints=[TAINT])
        self.nodes.append(node)
        return node

    def _pods(self, replica_set: Object, node: Object, numbers: range) -> None:
        """Fill in a template; 5,000 pods of 9 KB are made in about a second."""
        name = replica_set["metadata"]["name"]
        template = self._template(replica_set, node)
        fields = {"spec.nodeName": node["metadata"]["name"], "status.phase": "Running"}
        labels = replica_set["spec"]["template"]["metadata"]["labels"]
        for number in numbers:
            suffix = identity.letters(5, name, str(number)) + f"{number:04}"
            rest = template
            for mark, value in (
                (SUFFIX, suffix),
                (UID, identity.uid("synthetic", name, suffix)),
                (ADDRESS, f"10.{100 + number // 62500}.{number // 250 % 250}.{number % 250 + 2}"),
                (CONTAINER, identity.container_id(name, suffix)),
            ):
                rest = rest.replace(mark.encode(), value.encode())
            version = self.store.next_version()
            rest = rest.replace(b"@version@", str(version).encode())
            key = (replica_set["metadata"]["namespace"], f"{name}-{suffix}")
            named = {"metadata.namespace": key[0], "metadata.name": key[1], **fields}
            self.store.put_ready(POD, Record(key, version, rest, labels, named, b""))
            self._keys.setdefault(POD, set()).add(key)

    def _template(self, replica_set: Object, node: Object) -> bytes:
        """One pod's bytes with marks where pods differ."""
        scratch = World(self.world.epoch, self.world.registry, self.world.profile)
        scratch.put(node)
        pod = pods.build(scratch, replica_set, f"{replica_set['metadata']['name']}-{SUFFIX}", node, {}, 61)
        pod["metadata"] |= {"uid": UID, "resourceVersion": "@version@"}
        pod["status"].update(podIP=ADDRESS, podIPs=[{"ip": ADDRESS}])
        for status in pod["status"]["containerStatuses"]:
            status["containerID"] = CONTAINER
        content = {key: value for key, value in pod.items() if key not in ("kind", "apiVersion")}
        return json.dumps(content, separators=(",", ":")).encode()[1:]


def _used(deployment: Object) -> list[Used]:
    return [
        Used(
            container["name"],
            quantity(container["resources"]["requests"]["cpu"]) * 0.3,
            quantity(container["resources"]["limits"]["memory"]) * 0.4,
        )
        for container in deployment["spec"]["template"]["spec"]["containers"]
    ]
