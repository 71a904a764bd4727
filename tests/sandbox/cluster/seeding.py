"""The first world: manifests, as `kubectl apply` would leave them, and the nodes they run on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox.cluster import controllers, defaults, identity
from tests.sandbox.cluster.controllers import certificates
from tests.sandbox.cluster.kinds import Registry
from tests.sandbox.cluster.quantities import rfc3339
from tests.sandbox.cluster.world import World, new

DATA = Path(__file__).parent / "data"
AGE = timedelta(days=21)
SYSTEM_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
WITH_GENERATION = {"Deployment", "StatefulSet", "DaemonSet", "Job", "PodDisruptionBudget", "Ingress"}


def seed(manifests: Path, state: Path) -> World:
    """Build the world from every *.yaml in the folder and its folder `custom`; raises ValueError naming a bad file."""
    world = World(_epoch(state), Registry(), yaml.safe_load((DATA / "platform.yaml").read_text()))
    for name in SYSTEM_NAMESPACES:
        _apply(world, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for path in (*sorted(manifests.glob("*.yaml")), *sorted(manifests.glob("custom/*.yaml"))):
        for document in _documents(path):
            _apply(world, document)
    if not world.all("Deployment"):
        raise ValueError(f"No Deployment in {manifests}/*.yaml; expected the platform's manifests there")
    _system_objects(world)
    certificates.issue(world, state)
    controllers.reconcile(world)
    controllers.settle(world)
    return world


def _documents(path: Path) -> list[dict[str, Any]]:
    try:
        documents = [document for document in yaml.safe_load_all(path.read_text()) if document]
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    for document in documents:
        if not isinstance(document, dict) or not {"apiVersion", "kind", "metadata"} <= document.keys():
            raise ValueError(
                f"{path} holds {document!r:.80}; expected a manifest with apiVersion, kind, metadata"
            )
    return documents


def _apply(world: World, document: dict[str, Any]) -> None:
    if document["kind"] == "CustomResourceDefinition":
        world.registry.add_definition(document)
    resource = world.registry.of_manifest(document)
    metadata = document["metadata"]
    if resource is None or resource.namespaced:
        metadata.setdefault("namespace", "default")
    metadata["uid"] = identity.uid(document["kind"], metadata.get("namespace", ""), metadata["name"])
    metadata["creationTimestamp"] = world.after(identity.number(8, document["kind"], metadata["name"]))
    if document["kind"] in WITH_GENERATION:
        metadata["generation"] = 1
    defaults.fill(document)
    world.put(document)


def _system_objects(world: World) -> None:
    for namespace in world.all("Namespace"):
        name = namespace["metadata"]["name"]
        created = namespace["metadata"]["creationTimestamp"]
        world.put(new("ServiceAccount", name, "default", uid=identity.uid("sa", name), created=created))
    storage = new(
        "StorageClass",
        "",
        "standard",
        uid=identity.uid("sc"),
        created=world.after(),
        annotations={"storageclass.kubernetes.io/is-default-class": "true"},
        provisioner="rancher.io/local-path",
        reclaimPolicy="Delete",
        volumeBindingMode="WaitForFirstConsumer",
    )
    world.put(storage)


def _epoch(state: Path) -> datetime:
    """When this cluster was first seeded; kept, so that ages and pods survive a restart of the stand-in."""
    path = state / "cluster" / "epoch"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rfc3339(datetime.now(UTC) - AGE) + "\n")
    try:
        return datetime.fromisoformat(path.read_text().strip())
    except ValueError as error:
        raise ValueError(
            f"{path} holds {path.read_text()!r}; expected a time such as 2025-01-31T06:00:00Z; "
            f"delete the file to start afresh"
        ) from error
