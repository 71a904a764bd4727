"""Merge patches of ConfigMaps, with the manners of a real API server: 409 for a stale version, 422 for no string."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.sandbox.cluster.cluster import Cluster
from tests.sandbox.cluster.kinds import Resource
from tests.sandbox.cluster.reading import as_json
from tests.sandbox.cluster.statuses import ApiError, bad_request, invalid, method_not_allowed, not_found

MERGE_PATCH = "application/merge-patch+json"
Object = dict[str, Any]


async def patch(
    request: web.Request, cluster: Cluster, resource: Resource, namespace: str, name: str
) -> web.Response:
    """Patch the object in the world, and serve the world anew."""
    if resource.kind != "ConfigMap":
        raise method_not_allowed()
    if request.content_type != MERGE_PATCH:
        raise ApiError(
            415,
            "UnsupportedMediaType",
            f"the body of the request was in an unknown format - accepted media types include: {MERGE_PATCH}",
        )
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise bad_request(f"error decoding patch: {error}") from error
    record = cluster.store.get(resource, namespace, name)
    obj = cluster.world.get(resource.kind, namespace, name)
    if record is None or obj is None:
        raise not_found(resource, name)
    _require_version(resource, name, record.load(), body)
    data = merged(obj.get("data") or {}, body.get("data") or {})
    _require_strings(resource.kind, name, data)
    obj["data"] = data
    cluster.publish()
    served = cluster.store.get(resource, namespace, name)
    if served is None:
        raise not_found(resource, name)
    return as_json(json.loads(served.whole(resource)))


def merged(target: Any, changes: Any) -> Any:
    """RFC 7396: null takes a key away.

    >>> merged({"a": "1", "b": "2"}, {"a": None, "c": "3"})
    {'b': '2', 'c': '3'}
    """
    if not isinstance(changes, dict):
        return changes
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _require_version(resource: Resource, name: str, served: Object, body: Object) -> None:
    asked = (body.get("metadata") or {}).get("resourceVersion")
    if asked is not None and asked != served["metadata"]["resourceVersion"]:
        message = (
            f'Operation cannot be fulfilled on {resource.qualified} "{name}": the object has been modified; '
            "please apply your changes to the latest version and try again"
        )
        raise ApiError(409, "Conflict", message, {"name": name, "kind": resource.plural})


def _require_strings(kind: str, name: str, data: Any) -> None:
    for key, value in data.items() if isinstance(data, dict) else [("", data)]:
        if not isinstance(value, str):
            found = (
                "bool"
                if isinstance(value, bool)
                else "number"
                if isinstance(value, int | float)
                else "object"
            )
            problem = f"Invalid value: {found}: expected string"
            raise invalid(kind, name, f"data.{key}", problem)
