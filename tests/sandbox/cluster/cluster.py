"""The cluster: its world, what is wrong with it, and the store it is served from."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.sandbox.cluster import controllers, faults, kinds, seeding
from tests.sandbox.cluster.folders import Folders
from tests.sandbox.cluster.quantities import rfc3339
from tests.sandbox.cluster.store import Store
from tests.sandbox.cluster.synthetic import Synthetic
from tests.sandbox.cluster.world import World

HEARTBEAT_SECONDS = 60
Object = dict[str, Any]


class Cluster:
    def __init__(self, manifests: Path, state: Path) -> None:
        self.state = state
        self.world: World = seeding.seed(manifests, state)  # as it is when nothing is wrong
        self.current: World = self.world  # as it is now
        self.registry: kinds.Registry = self.world.registry
        self.folders = Folders(state)
        self.store = Store()
        self.synthetic = Synthetic(self.world, self.store)
        self.active: dict[str, faults.Since] = {}  # faults in the order in which they were switched on
        self.answering = asyncio.Event()  # cleared while the API server hangs
        self.answering.set()
        self.publish()

    def switch(self, name: str, *, on: bool) -> None:
        """Switch a fault. Raises KeyError for an unknown one, LookupError when it has nothing to act on."""
        faults.ALL[name]
        before = dict(self.active)
        if on:
            self.active.setdefault(name, faults.Since(datetime.now(UTC)))
        else:
            self.active.pop(name, None)
        try:
            self.publish()
        except LookupError:
            self.active = before
            self.publish()
            raise
        if "cluster_slow" in self.active:
            self.answering.clear()
        else:
            self.answering.set()

    def publish(self) -> None:
        """Serve the world as it is now: only objects that differ get a new resource version."""
        world = self.world.copy()
        faults.apply(world, self.active, settled=False)
        controllers.settle(world)
        faults.apply(world, self.active, settled=True)
        self._beat(world)
        self.current = world
        kept: dict[kinds.Resource, set[tuple[str, str]]] = {}
        for resource, obj in world:
            served = {key: value for key, value in obj.items() if key != "sandbox"}
            kept.setdefault(resource, set()).add(self.store.put(resource, served).key)
        for resource in self.registry:
            gone = self.store.keys(resource) - kept.get(resource, set()) - self.synthetic.keys(resource)
            for key in gone:
                self.store.remove(resource, key)
        self.folders.follow(world, lasting=self.world)

    async def live(self) -> None:
        """Let the nodes report, as long as the stand-in runs."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self.publish()

    def workload_of(self, pod: Object) -> str:
        """The Deployment, StatefulSet, DaemonSet or Job that the pod belongs to, by owner references."""
        namespace = pod["metadata"]["namespace"]
        owner = (pod["metadata"].get("ownerReferences") or [{}])[0]
        replica_set = self.current.get("ReplicaSet", namespace, owner.get("name", ""))
        if replica_set is not None:
            owner = replica_set["metadata"]["ownerReferences"][0]
        return str(owner.get("name", pod["metadata"]["name"]))

    def _beat(self, world: World) -> None:
        now = rfc3339(datetime.now(UTC))
        for node in (*world.all("Node"), *self.synthetic.nodes):
            if node.get("sandbox", {}).get("unreachable") is None:
                for entry in node["status"]["conditions"]:
                    entry["lastHeartbeatTime"] = now
        self.synthetic.publish_nodes()
