"""The past of the containers and volumes, counted back from what the kubelet's endpoint says now."""

import math
import re
import urllib.request
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from tests.sandbox import traffic
from tests.sandbox.history.series import Labels, Series

KUBELET_LABELS = {"job": "kubelet", "instance": "kubelet:10250"}
FAMILIES = (
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "kubelet_volume_stats_",
)
VOLUME_GROWTH_PER_DAY = 0.004
USUAL_CORES = 0.03
FEEL_THE_USERS = {"api", "nginx", "postgres", "redis", "qdrant"}
FREE_BESIDE_USED = {
    "kubelet_volume_stats_available_bytes": "kubelet_volume_stats_used_bytes",
    "kubelet_volume_stats_inodes_free": "kubelet_volume_stats_inodes_used",
}
USED_BESIDE_FREE = set(FREE_BESIDE_USED.values())
Sample = tuple[str, Labels, float]
LINE = re.compile(r"^(\w+)\{(.*)\} (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def read_now(url: str) -> list[Sample]:
    """(name, labels, value) of the series of interest that the endpoint exports now."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        text = answer.read().decode()
    found = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match and match[1].startswith(FAMILIES):
            labels = dict(LABEL.findall(match[2]))
            if labels.get("container") != "":  # a pod's own cgroup repeats the sum of its containers
                found.append((match[1], {**labels, **KUBELET_LABELS}, float(match[3])))
    return found


def workload_series(now: Sequence[Sample], times: Sequence[int], anchor: float) -> Iterator[Series]:
    """Each series of `now` at `times`, ending about where it stands now (counters start at 0)."""
    usual = traffic.requests_per_second(anchor, anchor)
    load = [traffic.requests_per_second(time, anchor) / usual for time in times]
    used_now = {(name, _volume_of(labels)): value for name, labels, value in now if name in USED_BESIDE_FREE}
    for name, labels, value in now:
        if name.startswith("kubelet_volume_stats_"):
            used = value
            if name in FREE_BESIDE_USED:
                used = used_now.get((FREE_BESIDE_USED[name], _volume_of(labels)), 0.0)
            yield Series(name, labels, _volume(name, value, used, times))
        elif name.startswith("container_memory"):
            yield Series(name, labels, [round(value * (0.95 + 0.05 * use)) for use in _busy(labels, load)])
        else:
            yield Series(name, labels, _cpu(_busy(labels, load), times))


def _busy(labels: Labels, load: list[float]) -> list[float]:
    """How busy a container is over time; 1 is usual. Only some feel the users."""
    return load if labels.get("container") in FEEL_THE_USERS else [1.0] * len(load)


def _cpu(busy: list[float], times: Sequence[int]) -> list[float]:
    seconds = [0, *(time - before for before, time in pairwise(times))]
    used = (USUAL_CORES * step * use for step, use in zip(seconds, busy, strict=True))
    return [round(total, 2) for total in accumulate(used)]


def _volume(name: str, value: float, used_now: float, times: Sequence[int]) -> list[float]:
    """Use grew to today's figure, what is free shrank by as much; size and inode count never changed."""
    if name not in FREE_BESIDE_USED and name not in USED_BESIDE_FREE:
        return [value] * len(times)
    sign = -1 if name in FREE_BESIDE_USED else 1
    shares = (math.exp(-VOLUME_GROWTH_PER_DAY * (times[-1] - time) / traffic.DAY) for time in times)
    return [round(value + sign * used_now * (share - 1)) for share in shares]


def _volume_of(labels: Labels) -> str:
    return f"{labels.get('namespace')}/{labels.get('persistentvolumeclaim')}"
