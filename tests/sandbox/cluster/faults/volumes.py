"""Claims without a volume."""

from __future__ import annotations

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.faults import bystanders
from tests.sandbox.cluster.faults.bystanders import NAMESPACE
from tests.sandbox.cluster.faults.registry import Since, fault
from tests.sandbox.cluster.world import World, new


@fault()
def claim_pending(world: World, since: Since) -> None:
    """A new claim, nginx-cache, asks for a storage class that does not exist; no pod waits for it yet."""
    claim = new(
        "PersistentVolumeClaim",
        NAMESPACE,
        "nginx-cache",
        uid=identity.uid("PersistentVolumeClaim", NAMESPACE, "nginx-cache"),
        created=since.ago(90),
        labels={"app": "nginx"},
        spec={
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "5Gi"}},
            "storageClassName": "fast-ssd",
            "volumeMode": "Filesystem",
        },
        status={"phase": "Pending"},
    )
    world.put(claim)
    message = 'storageclass.storage.k8s.io "fast-ssd" not found'
    bystanders.event(
        world, claim, "ProvisioningFailed", message, since.ago(0.3), 360, "persistentvolume-controller"
    )
