"""Series of the past, computed from the model of use. Pure: times in, samples out."""

import dataclasses
import random
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from tests.sandbox import traffic

Labels = dict[str, str]
API_LABELS = {"job": "api", "instance": "api:8000"}
BACKGROUND_ERRORS = 0.0002
SEED = 20250101


@dataclasses.dataclass(frozen=True)
class Series:
    """One series over the times it was asked for; `values` has as many entries as there were times."""

    name: str
    labels: Labels
    values: Sequence[float]

    def key(self) -> str:
        """The series as OpenMetrics writes it."""
        labels = ",".join(f'{name}="{escape(value)}"' for name, value in self.labels.items())
        return f"{self.name}{{{labels}}}"


def escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


@dataclasses.dataclass(frozen=True)
class Counts:
    """Requests of one route up to each time, counted from 0: in normal times and during the incident."""

    normal: list[float]
    incident: list[float]


def api_series(times: Sequence[int], anchor: float) -> Iterator[Series]:
    """What the API would have exported at `times` (seconds, ascending), its counters starting at 0."""
    for route in traffic.ROUTES:
        counts = _counts(route, times, anchor)
        yield from _request_counters(route, counts)
        yield from _duration_histogram(route, counts)
    yield Series("up", API_LABELS, [1] * len(times))


def _counts(route: traffic.Route, times: Sequence[int], anchor: float) -> Counts:
    source = random.Random(f"{SEED}{route.path}{times[0] if times else 0}")
    normal, incident = [0.0], [0.0]
    for before, time in pairwise(times):
        expected = traffic.requests_per_second(time, anchor) * route.share * (time - before)
        happened = max(0.0, source.gauss(expected, expected**0.5))
        during = traffic.is_incident(time, anchor)
        normal.append(0.0 if during else happened)
        incident.append(happened if during else 0.0)
    return Counts(list(accumulate(normal)), list(accumulate(incident)))


def _request_counters(route: traffic.Route, counts: Counts) -> Iterator[Series]:
    errors = BACKGROUND_ERRORS if route is not traffic.HEALTH else 0.0
    shares = {
        "404": (route.missing_share, route.missing_share),
        "500": (errors, traffic.INCIDENT_ERROR_RATIO),
    }
    if route is traffic.HEALTH:
        shares = {}
    good = (1 - sum(share[0] for share in shares.values()), 1 - sum(share[1] for share in shares.values()))
    for status, (usual, during) in {"200": good, **shares}.items():
        if usual or during:
            labels = {"method": route.method, "route": route.path, "status": status, **API_LABELS}
            yield Series("http_requests_total", labels, _mix(counts, usual, during))


def _duration_histogram(route: traffic.Route, counts: Counts) -> Iterator[Series]:
    base = {"method": route.method, "route": route.path, **API_LABELS}
    slowness = traffic.INCIDENT_SLOWNESS if route is not traffic.HEALTH else 1.0
    for bound in traffic.BUCKETS_SECONDS:
        values = _mix(counts, route.share_within(bound), route.share_within(bound, slowness))
        yield Series("http_request_duration_seconds_bucket", {**base, "le": f"{bound:g}"}, values)
    everything = _mix(counts, 1, 1)
    yield Series("http_request_duration_seconds_bucket", {**base, "le": "+Inf"}, everything)
    yield Series("http_request_duration_seconds_count", base, everything)
    usual, during = route.mean_seconds(), route.mean_seconds(slowness)
    seconds = [a * usual + b * during for a, b in zip(counts.normal, counts.incident, strict=True)]
    yield Series("http_request_duration_seconds_sum", base, [round(value, 3) for value in seconds])


def _mix(counts: Counts, usual: float, during: float) -> list[int]:
    """Rounded down: a bucket never holds more than the next one, and none ever falls."""
    return [int(a * usual + b * during) for a, b in zip(counts.normal, counts.incident, strict=True)]
