"""What a path means, and whether the caller may go there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.sandbox.cluster import discovery, logs, metrics_api, writing
from tests.sandbox.cluster.access import Access
from tests.sandbox.cluster.cluster import Cluster
from tests.sandbox.cluster.execution import Execution
from tests.sandbox.cluster.faults import security
from tests.sandbox.cluster.kinds import METRICS_GROUP, Registry, Resource
from tests.sandbox.cluster.parameters import flag
from tests.sandbox.cluster.reading import Reader, as_json
from tests.sandbox.cluster.statuses import ApiError, PlainError, method_not_allowed, not_found, unknown_path

ABSENT_GROUPS = {"metrics_api_absent": METRICS_GROUP, **security.ABSENT_GROUPS}


@dataclass(frozen=True)
class Address:
    """One object or collection: /apis/GROUP/VERSION[/namespaces/NS]/PLURAL[/NAME[/SUBRESOURCE]]."""

    resource: Resource
    namespace: str
    name: str
    subresource: str


class Gate:
    """The handler behind every path of the API."""

    def __init__(self, cluster: Cluster, access: Access) -> None:
        self.cluster, self.access = cluster, access
        self.reader = Reader(cluster)
        self.execution = Execution(cluster)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await self.cluster.answering.wait()
        try:
            if request.path in ("/healthz", "/livez", "/readyz"):
                return web.Response(text="ok")
            return await self._answer(request)
        except (ApiError, PlainError) as error:
            return error.response()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        user = self.access.user(request.headers.get("Authorization", ""))
        parts = [part for part in request.path.split("/") if part]
        if parts[:1] == ["apis"] and parts[1:2]:
            self._require_group(parts[1])
        document = self._discovery(parts)
        if document is not None:
            return as_json(document)
        address = _address(self.cluster.registry, parts)
        if address is None:
            raise unknown_path()
        user.require(
            _verb(request, address), address.resource, address.subresource, address.namespace, address.name
        )
        return await self._serve(request, address)

    async def _serve(self, request: web.Request, address: Address) -> web.StreamResponse:
        if address.subresource == "exec" and request.method in ("GET", "POST"):
            return await self.execution.serve(request, self._pod(address))
        if request.method == "PATCH" and address.name and not address.subresource:
            return await writing.patch(
                request, self.cluster, address.resource, address.namespace, address.name
            )
        if request.method != "GET":
            raise method_not_allowed()
        if address.subresource == "log":
            return await logs.serve(request, self.cluster, self._pod(address))
        if address.resource.group == METRICS_GROUP:
            return metrics_api.serve(request, self.cluster, address.resource, address.namespace, address.name)
        if address.name:
            return self.reader.get(request, address.resource, address.namespace, address.name)
        return await self.reader.list(request, address.resource, address.namespace)

    def _absent(self) -> set[str]:
        """The API groups that a fault has taken away."""
        return {group for name, group in ABSENT_GROUPS.items() if name in self.cluster.active}

    def _require_group(self, group: str) -> None:
        if group in self._absent():
            raise unknown_path()
        if group == METRICS_GROUP and "metrics_api_down" in self.cluster.active:
            raise PlainError(503, "service unavailable\n")

    def _pod(self, address: Address) -> dict[str, Any]:
        record = self.cluster.store.get(address.resource, address.namespace, address.name)
        if record is None:
            raise not_found(address.resource, address.name)
        return record.load()

    def _discovery(self, parts: list[str]) -> dict[str, Any] | None:
        registry = self.cluster.registry
        match parts:
            case ["version"]:
                return discovery.VERSION
            case ["api"]:
                return discovery.api_versions()
            case ["api", "v1"]:
                return discovery.resources(registry, "", "v1")
            case ["apis"]:
                return discovery.groups(registry, absent=self._absent())
            case ["apis", group]:
                return discovery.group(registry, group)
            case ["apis", group, version]:
                return discovery.resources(registry, group, version)
        return None


def _address(registry: Registry, parts: list[str]) -> Address | None:
    match parts:
        case ["api", "v1", *rest]:
            group, version = "", "v1"
        case ["apis", group, version, *rest]:
            pass
        case _:
            return None
    namespace = ""
    if len(rest) >= 3 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "", "")[:3]
    resource = registry.at(group, version, plural)
    if resource is None or len(rest) > 3 or (namespace and not resource.namespaced):
        return None
    if (subresource and subresource not in resource.subresources) or (
        name and resource.namespaced and not namespace
    ):
        return None
    return Address(resource, namespace, name, subresource)


def _verb(request: web.Request, address: Address) -> str:
    if request.method == "GET":
        if address.name:
            return "get"
        return "watch" if flag(request, "watch") else "list"
    verbs = {"POST": "create", "PUT": "update", "PATCH": "patch"}
    return verbs.get(request.method, "delete" if address.name else "deletecollection")
