"""Claims get a volume each."""

from __future__ import annotations

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.world import World, new


def bind(world: World) -> None:
    for claim in world.all("PersistentVolumeClaim"):
        if "volumeName" in claim["spec"]:
            continue
        metadata, spec = claim["metadata"], claim["spec"]
        name = f"pvc-{metadata['uid']}"
        spec["volumeName"] = name
        capacity = {"storage": spec["resources"]["requests"]["storage"]}
        claim["status"] = {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": capacity}
        metadata.setdefault("annotations", {})["pv.kubernetes.io/bind-completed"] = "yes"
        world.put(
            new(
                "PersistentVolume",
                "",
                name,
                uid=identity.uid("pv", name),
                created=metadata["creationTimestamp"],
                spec={
                    "accessModes": spec["accessModes"],
                    "capacity": capacity,
                    "volumeMode": spec["volumeMode"],
                    "claimRef": {
                        "apiVersion": "v1",
                        "kind": "PersistentVolumeClaim",
                        "name": metadata["name"],
                        "namespace": metadata["namespace"],
                        "uid": metadata["uid"],
                    },
                    "persistentVolumeReclaimPolicy": "Delete",
                    "storageClassName": spec["storageClassName"],
                    "hostPath": {"path": f"/var/local-path-provisioner/{name}", "type": "DirectoryOrCreate"},
                },
                status={"phase": "Bound"},
            )
        )
