"""metrics.k8s.io: what nodes and running pods use, in the units of a real metrics-server."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.sandbox.cluster import usage
from tests.sandbox.cluster.cluster import Cluster
from tests.sandbox.cluster.kinds import Resource
from tests.sandbox.cluster.quantities import quantity, rfc3339
from tests.sandbox.cluster.reading import as_json
from tests.sandbox.cluster.selectors import label_test
from tests.sandbox.cluster.statuses import ApiError

Object = dict[str, Any]
SCRAPED_EVERY_SECONDS = 15


def serve(
    request: web.Request, cluster: Cluster, resource: Resource, namespace: str, name: str
) -> web.Response:
    items = _nodes(cluster) if resource.plural == "nodes" else _pods(cluster, namespace)
    if name:
        found = next((item for item in items if item["metadata"]["name"] == name), None)
        if found is None:
            raise _not_found(resource, namespace, name)
        return as_json({"kind": resource.kind, "apiVersion": resource.api_version, **found})
    selected = label_test(request.query.get("labelSelector", ""))
    wanted = [item for item in items if selected is None or selected(item["metadata"].get("labels", {}))]
    head = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": {}}
    return as_json(head | {"items": wanted})


def _pods(cluster: Cluster, namespace: str) -> Iterable[Object]:
    for pod in cluster.current.all("Pod", namespace or None):
        used = usage.containers_of(cluster.current.profile, pod, time.time())
        if used:
            yield _metrics(pod["metadata"], used)
    yield from (
        _metrics(metadata, used)
        for metadata, used in cluster.synthetic.usage()
        if namespace in ("", metadata["namespace"])
    )


def _metrics(metadata: Object, used: list[usage.Used]) -> Object:
    kept: Object = {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata}
    containers = [
        {"name": entry.container, "usage": _usage(entry.cpu_cores, entry.memory_bytes)} for entry in used
    ]
    return _scraped(kept) | {"containers": containers}


def _nodes(cluster: Cluster) -> Iterable[Object]:
    overhead = cluster.current.profile["node_overhead"]
    by_node = node_usage(cluster)
    for node in (*cluster.current.all("Node"), *cluster.synthetic.nodes):
        name = node["metadata"]["name"]
        if node.get("sandbox", {}).get("unreachable") is not None:
            continue
        cpu, memory = by_node.get(name, (0.0, 0.0))
        metadata = {"name": name, "labels": node["metadata"]["labels"]}
        yield _scraped(metadata) | {
            "usage": _usage(cpu + quantity(overhead["cpu"]), memory + quantity(overhead["memory"]))
        }


def node_usage(cluster: Cluster) -> dict[str, tuple[float, float]]:
    """Cores and bytes that the pods of each node use."""
    totals = {node: (cores, memory) for node, cores, memory in cluster.synthetic.node_usage()}
    for pod in cluster.current.all("Pod"):
        for used in usage.containers_of(cluster.current.profile, pod, time.time()):
            cpu, memory = totals.get(pod["spec"]["nodeName"], (0.0, 0.0))
            totals[pod["spec"]["nodeName"]] = (cpu + used.cpu_cores, memory + used.memory_bytes)
    return totals


def _scraped(metadata: Object) -> Object:
    now = datetime.now(UTC)
    scraped = now - timedelta(seconds=now.timestamp() % SCRAPED_EVERY_SECONDS)
    return {
        "metadata": metadata | {"creationTimestamp": rfc3339(now)},
        "timestamp": rfc3339(scraped),
        "window": "15.032s",
    }


def _usage(cpu_cores: float, memory_bytes: float) -> Object:
    return {"cpu": f"{int(cpu_cores * 1e9)}n", "memory": f"{int(memory_bytes) // 1024}Ki"}


def _not_found(resource: Resource, namespace: str, name: str) -> ApiError:
    what = resource.kind.lower()
    full = f"{namespace}/{name}" if namespace else name
    details = {"name": full, "group": resource.group, "kind": what}
    return ApiError(404, "NotFound", f'{what}.{resource.group} "{full}" not found', details)
