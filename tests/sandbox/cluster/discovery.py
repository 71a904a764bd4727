"""What a client is told about the API: versions, groups, resources."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tests.sandbox.cluster.kinds import Registry, Resource

Object = dict[str, Any]
VERSION = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.4",
    "gitCommit": "59526cd4867447956156ae3a602fcbac10a2c335",
    "gitTreeState": "clean",
    "buildDate": "2025-04-22T15:57:00Z",
    "goVersion": "go1.23.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}
SUBRESOURCES = {"log": ("Pod", ["get"]), "exec": ("PodExecOptions", ["create", "get"])}


def api_versions() -> Object:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(registry: Registry, *, absent: Collection[str]) -> Object:
    names = dict.fromkeys(resource.group for resource in registry if resource.group)
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(registry, name) for name in names if name not in absent],
    }


def group(registry: Registry, name: str) -> Object | None:
    if all(resource.group != name for resource in registry):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(registry, name)}


def resources(registry: Registry, group: str, version: str) -> Object | None:
    served = [r for r in registry if (r.group, r.version) == (group, version)]
    if not served:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": served[0].api_version,
        "resources": [entry for resource in served for entry in _entries(resource)],
    }


def _group(registry: Registry, name: str) -> Object:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version in dict.fromkeys(r.version for r in registry if r.group == name)
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _entries(resource: Resource) -> list[Object]:
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short:
        entry["shortNames"] = list(resource.short)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    return [entry] + [
        {
            "name": f"{resource.plural}/{sub}",
            "singularName": "",
            "namespaced": True,
            "kind": SUBRESOURCES[sub][0],
            "verbs": SUBRESOURCES[sub][1],
        }
        for sub in resource.subresources
    ]
