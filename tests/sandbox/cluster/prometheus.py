"""What Prometheus would scrape from the kubelets: the volumes' real folders, and the containers' usage."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

from tests.sandbox.cluster import usage
from tests.sandbox.cluster.cluster import Cluster
from tests.sandbox.cluster.folders import claim_mounts

Object = dict[str, Any]
Sample = tuple[dict[str, str], float]
VOLUME_METRICS = ("capacity_bytes", "available_bytes", "used_bytes", "inodes", "inodes_free", "inodes_used")
CPU, MEMORY = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"


class Exposition:
    """The text, and the CPU counters behind it, which start at 0 with the stand-in as a container's do."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._cpu_seconds: dict[tuple[str, ...], float] = {}
        self._last = time.monotonic()

    def render(self) -> str:
        volumes = list(_volumes(self.cluster))
        lines: list[str] = []
        for index, metric in enumerate(VOLUME_METRICS):
            samples = [(labels, values[index]) for labels, values in volumes]
            lines += _family(f"kubelet_volume_stats_{metric}", "gauge", samples)
        containers = list(_containers(self.cluster))
        lines += _family(CPU, "counter", self._counted(containers))
        lines += _family(MEMORY, "gauge", [(labels, memory) for labels, _, memory in containers])
        return "\n".join(lines) + "\n"

    def _counted(self, containers: list[tuple[dict[str, str], float, float]]) -> Iterator[Sample]:
        elapsed, self._last = time.monotonic() - self._last, time.monotonic()
        for labels, cores, _ in containers:
            key = tuple(labels.values())
            self._cpu_seconds[key] = self._cpu_seconds.get(key, 0.0) + cores * elapsed
            yield labels, self._cpu_seconds[key]


def _volumes(cluster: Cluster) -> Iterator[tuple[dict[str, str], tuple[float, ...]]]:
    """One row per claim: the fullest of the folders under which its pods see it."""
    fullest: dict[tuple[str, str], os.statvfs_result] = {}
    for pod in cluster.current.all("Pod"):
        for claim, path in claim_mounts(pod).items():
            folder = cluster.folders.inside(pod, path)
            if not usage.is_measured(pod) or not folder.exists():
                continue
            key, stats = (pod["metadata"]["namespace"], claim), os.statvfs(folder)
            if key not in fullest or stats.f_bavail * stats.f_frsize < (
                fullest[key].f_bavail * fullest[key].f_frsize
            ):
                fullest[key] = stats
    for (namespace, claim), stats in sorted(fullest.items(), key=lambda entry: entry[0]):
        size = stats.f_frsize
        yield (
            {"namespace": namespace, "persistentvolumeclaim": claim},
            (
                stats.f_blocks * size,
                stats.f_bavail * size,
                (stats.f_blocks - stats.f_bfree) * size,
                stats.f_files,
                stats.f_ffree,
                stats.f_files - stats.f_ffree,
            ),
        )


def _containers(cluster: Cluster) -> Iterator[tuple[dict[str, str], float, float]]:
    """Labels, cores and bytes of every container, and as cAdvisor does of every pod (container and image empty)."""
    for pod in cluster.current.all("Pod"):
        images = {container["name"]: container["image"] for container in pod["spec"]["containers"]}
        measured = usage.containers_of(cluster.current.profile, pod, time.time())
        for used in measured:
            yield _labels(pod, used.container, images[used.container]), used.cpu_cores, used.memory_bytes
        if measured:
            cores, memory = sum(u.cpu_cores for u in measured), sum(u.memory_bytes for u in measured)
            yield _labels(pod, "", ""), cores, memory


def _labels(pod: Object, container: str, image: str) -> dict[str, str]:
    return {
        "namespace": pod["metadata"]["namespace"],
        "pod": pod["metadata"]["name"],
        "container": container,
        "image": image,
        "node": pod["spec"]["nodeName"],
    }


def _family(name: str, kind: str, samples: Iterable[Sample]) -> list[str]:
    lines = [f"# TYPE {name} {kind}"]
    for labels, value in samples:
        text = ",".join(f'{key}="{_escaped(content)}"' for key, content in labels.items())
        lines.append(f"{name}{{{text}}} {value:.17g}")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
