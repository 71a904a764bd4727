"""A backup of the configuration: Kubernetes objects as files, held against the objects that live.

Evidence names fields, never their values: a ConfigMap may hold what nobody should read in a report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from docrag_ops.core.backups.archives import Member, members
from docrag_ops.core.backups.errors import DamagedError
from docrag_ops.core.cluster.quantities import parse_quantity
from docrag_ops.core.errors import DefinitionError
from docrag_ops.core.records import load_yaml_documents

MOST_FILE_BYTES = 16 * 1024 * 1024
PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Service": "/api/v1/namespaces/{}/services",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
}
"""The kinds that are compared, and where they are listed."""
COMPARED = ("spec", "data", "binaryData")
_READ = re.compile(r".*\.(?:ya?ml|json)")
_MADE_BY_THE_CLUSTER = {("Service", "kubernetes"), ("ConfigMap", "kube-root-ca.crt")}

Key = tuple[str, str, str]
"""Kind, namespace, name."""


@dataclass
class ConfigurationBackup:
    """The objects of an archive; `others` counts those of kinds that are not compared."""

    objects: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    others: int = 0
    files: int = 0
    newest_at: datetime | None = None


def read_archive(chunks: Iterable[bytes]) -> ConfigurationBackup:
    """Read and parse a whole archive.

    :raises DamagedError: when it is not whole, a file in it cannot be parsed, or it holds no object at all.
    """
    backup = ConfigurationBackup()
    for member in members(chunks):
        if member.changed_at and (backup.newest_at is None or member.changed_at > backup.newest_at):
            backup.newest_at = member.changed_at
        if _READ.fullmatch(member.name.lower()):
            backup.files += 1
            for one in _objects(member):
                _note(backup, one)
    if not backup.objects and not backup.others:
        raise DamagedError("there is no Kubernetes object in any *.yaml or *.json of the archive")
    return backup


def _note(backup: ConfigurationBackup, one: Mapping[str, Any]) -> None:
    metadata = one.get("metadata")
    if one["kind"] in PATHS and isinstance(metadata, Mapping) and metadata.get("name"):
        backup.objects[key_of(one)] = one
    else:
        backup.others += 1


def _objects(member: Member) -> Iterator[Mapping[str, Any]]:
    try:
        text = member.content(most_bytes=MOST_FILE_BYTES).decode()
        documents = load_yaml_documents(text, where=member.name)
    except (UnicodeDecodeError, DefinitionError) as error:
        raise DamagedError(f"{member.name!r} cannot be parsed: {error}") from error
    for document in documents:
        listed = document.get("items") if isinstance(document, Mapping) else None
        for one in listed if isinstance(listed, list) else [document]:
            if isinstance(one, Mapping) and isinstance(one.get("kind"), str):
                yield one


def key_of(one: Mapping[str, Any]) -> Key:
    """Kind, namespace and name of an object."""
    metadata = one["metadata"]
    return str(one["kind"]), str(metadata.get("namespace") or "default"), str(metadata["name"])


def is_kept_by_hand(kind: str, one: Mapping[str, Any]) -> bool:
    """Whether an object is somebody's configuration, and not made by the cluster or a controller."""
    metadata = one["metadata"]
    owned = any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
    return not owned and (kind, metadata["name"]) not in _MADE_BY_THE_CLUSTER


def differences(kept: Mapping[str, Any], live: Mapping[str, Any], *, is_scaled: bool) -> list[str]:
    """The fields of a backup's object that the live one has otherwise, or not at all.

    What only the live one has are defaults of the cluster. `is_scaled`: an autoscaler sets the replicas.
    """
    found = [path for part in COMPARED for path in _differ(kept.get(part), live.get(part), part)]
    return [path for path in found if not (is_scaled and path == "spec.replicas")]


def _differ(kept: Any, live: Any, path: str) -> Iterator[str]:
    if isinstance(kept, Mapping) and isinstance(live, Mapping):
        for name, value in kept.items():
            yield from _differ(value, live.get(name), f"{path}.{name}")
    elif isinstance(kept, list) and isinstance(live, list) and len(kept) == len(live):
        for position, (one, other) in enumerate(zip(kept, _in_order(kept, live), strict=True)):
            yield from _differ(one, other, f"{path}[{position}]")
    elif not _same(kept, live):
        yield path


def _in_order(kept: list[Any], live: list[Any]) -> list[Any]:
    """The live list in the order of the kept one, where all items have names."""
    if all(isinstance(one, Mapping) and "name" in one for one in (*kept, *live)):
        by_name = {one["name"]: one for one in live}
        return [by_name.get(one["name"]) for one in kept]
    return live


def _same(kept: Any, live: Any) -> bool:
    if not kept and not live:
        return True  # null, 0, "", {} and [] are what a field is when it is left out
    if kept is None or live is None or isinstance(kept, Mapping | list) or isinstance(live, Mapping | list):
        return bool(kept == live)
    if str(kept) == str(live):
        return True
    try:
        return parse_quantity(str(kept)) == parse_quantity(str(live))
    except ValueError:
        return False
