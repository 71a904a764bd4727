"""The past of the containers and volumes, counted back from what the kubelet's endpoint says now."""

import math
import re
import urllib.request
from collections.abc import Iterator, Sequence

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
LINE = re.compile(r"^(\w+)\{(.*)\} (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def read_now(url: str) -> list[tuple[str, Labels, float]]:
    """(name, labels, value) of the series of interest that the endpoint exports now."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        text = answer.read().decode()
    found = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match and match[1].startswith(FAMILIES):
            labels = dict(LABEL.findall(match[2]))
            found.append((match[1], {**labels, **KUBELET_LABELS}, float(match[3])))
    return found


def workload_series(
    now: Sequence[tuple[str, Labels, float]], times: Sequence[int], anchor: float
) -> Iterator[Series]:
    """Each series of `now` at `times`, ending about where it stands now (counters start at 0)."""
    usual = traffic.requests_per_second(anchor, anchor)
    load = [traffic.requests_per_second(time, anchor) / usual for time in times]
    for name, labels, value in now:
        yield Series(name, labels, _values(name, labels, value, times, load))


def _values(name: str, labels: Labels, value: float, times: Sequence[int], load: list[float]) -> list[float]:
    if name.startswith("kubelet_volume_stats_"):
        return _volume(name, value, times)
    serves = 1.0 if labels.get("container") in {"api", "nginx", "postgres", "redis", "qdrant"} else 0.0
    if name.startswith("container_memory"):
        return [round(value * (0.95 + 0.05 * (serves * use + 1 - serves))) for use in load]
    step = times[1] - times[0] if len(times) > 1 else 0
    used, out = 0.0, []
    for use in load:
        used += USUAL_CORES * step * (serves * use + 1 - serves)
        out.append(round(used, 2))
    return out


def _volume(name: str, value: float, times: Sequence[int]) -> list[float]:
    """Use grew to today's figure; size and inode count never changed."""
    if not name.endswith("used"):
        return [value] * len(times)
    last = times[-1]
    return [round(value * math.exp(-VOLUME_GROWTH_PER_DAY * (last - time) / traffic.DAY)) for time in times]
