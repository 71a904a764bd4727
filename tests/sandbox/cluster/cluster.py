"""The cluster: its world, what is wrong with it, and the store it is served from."""

from __future__ import annotations

from pathlib import Path

from tests.sandbox.cluster import controllers, kinds, seeding
from tests.sandbox.cluster.store import Store
from tests.sandbox.cluster.world import World


class Cluster:
    def __init__(self, manifests: Path, state: Path) -> None:
        self.state = state
        self.world: World = seeding.seed(manifests, state)  # as it is when nothing is wrong
        self.current: World = self.world  # as it is now
        self.registry: kinds.Registry = self.world.registry
        self.store = Store()
        self.publish()

    def publish(self) -> None:
        """Serve the world as it is now: only objects that differ get a new resource version."""
        self.current = self.world.copy()
        controllers.settle(self.current)
        kept: dict[kinds.Resource, set[tuple[str, str]]] = {}
        for resource, obj in self.current:
            served = {key: value for key, value in obj.items() if key != "sandbox"}
            kept.setdefault(resource, set()).add(self.store.put(resource, served).key)
        for resource in self.registry:
            for key in self.store.keys(resource) - kept.get(resource, set()):
                self.store.remove(resource, key)
