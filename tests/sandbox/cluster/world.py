"""What exists: objects as dictionaries, before they become bytes in the store."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.sandbox.cluster.kinds import Registry, Resource, built_in
from tests.sandbox.cluster.quantities import rfc3339

Object = dict[str, Any]


@dataclass
class World:
    """Objects by kind, namespace and name; `epoch` is when this cluster was first seeded."""

    epoch: datetime
    registry: Registry
    profile: (
        Object  # data/platform.yaml: nodes, load and first log lines, which only a stand-in has to be told
    )
    objects: dict[str, dict[tuple[str, str], Object]] = field(default_factory=dict)

    def put(self, obj: Object) -> Object:
        metadata = obj["metadata"]
        self.objects.setdefault(obj["kind"], {})[metadata.get("namespace", ""), metadata["name"]] = obj
        return obj

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.objects.get(kind, {}).get((namespace, name))

    def need(self, kind: str, namespace: str, name: str) -> Object:
        found = self.get(kind, namespace, name)
        if found is None:
            raise LookupError(
                f"{kind} {namespace}/{name} is not in the stand-in cluster; "
                f"the manifests that seed it must define it"
            )
        return found

    def all(self, kind: str, namespace: str | None = None) -> list[Object]:
        found = self.objects.get(kind, {})
        return [found[key] for key in sorted(found) if namespace in (None, key[0])]

    def remove(self, obj: Object) -> None:
        del self.objects[obj["kind"]][obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]

    def owned(self, kind: str, owner: Object) -> list[Object]:
        """Objects whose controller this is."""
        uid = owner["metadata"]["uid"]
        return [
            obj
            for obj in self.all(kind, owner["metadata"].get("namespace", ""))
            if any(ref["uid"] == uid for ref in obj["metadata"].get("ownerReferences", ()))
        ]

    def __iter__(self) -> Iterator[tuple[Resource, Object]]:
        for kind, found in self.objects.items():
            for obj in found.values():
                resource = self.registry.of_manifest(obj)
                if resource is not None:
                    yield resource, obj
                elif kind != "CustomResourceDefinition":
                    raise LookupError(
                        f"{obj['apiVersion']} {kind} {obj['metadata']['name']!r} has no resource; "
                        f"add its CustomResourceDefinition to the manifests"
                    )

    def copy(self) -> World:
        return World(self.epoch, self.registry, self.profile, copy.deepcopy(self.objects))

    def after(self, minutes: float = 0, **more: float) -> str:
        """A moment this long after the cluster was seeded, as the API writes it."""
        return rfc3339(self.epoch + timedelta(minutes=minutes, **more))


def new(kind: str, namespace: str, name: str, *, uid: str, created: str, **content: Any) -> Object:
    """An object with the metadata that every object has."""
    resource = built_in(kind)
    metadata: Object = {"name": name, "uid": uid, "creationTimestamp": created}
    if namespace:
        metadata["namespace"] = namespace
    labels = content.pop("labels", None)
    owners = content.pop("ownerReferences", None)
    annotations = content.pop("annotations", None)
    if labels:
        metadata["labels"] = labels
    if annotations:
        metadata["annotations"] = annotations
    if owners:
        metadata["ownerReferences"] = owners
    return {"apiVersion": resource.api_version, "kind": kind, "metadata": metadata, **content}


def reference(owner: Object) -> list[Object]:
    """The ownerReferences that make this object the controller."""
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def condition(name: str, status: str, reason: str, message: str, since: str, **more: Any) -> Object:
    return {
        "type": name,
        "status": status,
        "lastTransitionTime": since,
        "reason": reason,
        "message": message,
        **more,
    }


def conditions_of(obj: Object) -> dict[str, Object]:
    """An object's conditions by type."""
    return {entry["type"]: entry for entry in obj.get("status", {}).get("conditions") or ()}
