"""The control port: plain HTTP, nothing of Kubernetes. It answers when the API does not.

GET    /sandbox/faults           {name: {"on": bool, "what": text}}
POST   /sandbox/faults/NAME      {"on": true | false}
POST   /sandbox/pods             {"count": 5000, "namespace": "doc-rag-prod"}; DELETE removes them
POST   /sandbox/compact          lets every `continue` token expire
GET    /sandbox/metrics          what Prometheus scrapes
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.sandbox.cluster import faults
from tests.sandbox.cluster.cluster import Cluster
from tests.sandbox.cluster.gate import Gate
from tests.sandbox.cluster.prometheus import Exposition
from tests.sandbox.cluster.server import Listener

MOST_PODS = 20_000


class Control:
    def __init__(self, cluster: Cluster, gate: Gate, api: Listener) -> None:
        self.cluster, self.gate, self.api = cluster, gate, api
        self.exposition = Exposition(cluster)

    def application(self) -> web.Application:
        made = web.Application()
        made.add_routes([
            web.get("/sandbox/faults", self.list_faults),
            web.post("/sandbox/faults/{name}", self.switch_fault),
            web.post("/sandbox/pods", self.add_pods),
            web.delete("/sandbox/pods", self.remove_pods),
            web.post("/sandbox/compact", self.compact),
            web.get("/sandbox/metrics", self.metrics),
        ])  # fmt: skip
        return made

    async def list_faults(self, request: web.Request) -> web.Response:
        return web.json_response({
            name: {"on": name in self.cluster.active, "what": fault.what} for name, fault in faults.ALL.items()
        })  # fmt: skip

    async def switch_fault(self, request: web.Request) -> web.Response:
        name, body = request.match_info["name"], await _body(request)
        if name not in faults.ALL:
            return _complaint(404, f"no fault {name!r} in the cluster; there are: {', '.join(faults.ALL)}")
        if not isinstance(body.get("on"), bool):
            return _complaint(400, f'the body is {body!r}; expected {{"on": true}} or {{"on": false}}')
        try:
            self.cluster.switch(name, on=body["on"])
        except LookupError as error:
            return _complaint(409, f"fault {name!r} cannot act now: {error}")
        if "cluster_refuses" in self.cluster.active:
            await self.api.close()
        else:
            await self.api.open()
        return web.json_response({"fault": name, "on": body["on"]})

    async def add_pods(self, request: web.Request) -> web.Response:
        body = await _body(request)
        count, namespace = body.get("count"), body.get("namespace", "doc-rag-prod")
        if not isinstance(count, int) or not 0 <= count <= MOST_PODS:
            return _complaint(400, f"count is {count!r}; expected a number from 0 to {MOST_PODS}, e.g. 5000")
        self.cluster.synthetic.replace(count, str(namespace))
        return web.json_response({"count": count, "namespace": namespace})

    async def remove_pods(self, request: web.Request) -> web.Response:
        self.cluster.synthetic.replace(0, "")
        return web.json_response({"count": 0})

    async def compact(self, request: web.Request) -> web.Response:
        self.gate.reader.snapshots.compact()
        return web.json_response({"compacted": True})

    async def metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self.exposition.render(), content_type="text/plain", charset="utf-8")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except json.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _complaint(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
