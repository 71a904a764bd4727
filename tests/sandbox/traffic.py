"""How Doc-RAG is used: one model for the live trickle of requests and for the history before it.

A day has its peak at 14:00 UTC, weekends are quieter, use grows slowly, and 20 days before the sandbox was
built there was one incident of 40 minutes with errors and slow answers.
"""

import dataclasses
import math
import random
from bisect import bisect_left

DAY = 86400
MEAN_REQUESTS_PER_SECOND = 4.0
GROWTH_PER_DAY = 0.002
WEEKEND = 0.6
INCIDENT_AGE_SECONDS = 20 * DAY
INCIDENT_SECONDS = 40 * 60
INCIDENT_SLOWNESS = 14.0
INCIDENT_ERROR_RATIO = 0.25
BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclasses.dataclass(frozen=True)
class Latency:
    """Log-normal: half of the answers take up to `median_seconds`."""

    median_seconds: float
    sigma: float

    def draw(self, source: random.Random) -> float:
        return self.median_seconds * math.exp(source.gauss(0, self.sigma))

    def mean_seconds(self, slowness: float = 1.0) -> float:
        return slowness * self.median_seconds * math.exp(self.sigma**2 / 2)

    def share_within(self, seconds: float, slowness: float = 1.0) -> float:
        """The share of answers that take up to `seconds`."""
        distance = math.log(seconds / (self.median_seconds * slowness)) / self.sigma
        return 0.5 * (1 + math.erf(distance / math.sqrt(2)))


@dataclasses.dataclass(frozen=True)
class Route:
    """A kind of request: its share of all, how fast answers come, and how many documents are not found."""

    method: str
    path: str
    share: float
    cached: Latency
    computed: Latency
    cached_share: float = 0.0
    missing_share: float = 0.0

    def latencies(self) -> tuple[tuple[float, Latency], ...]:
        return ((self.cached_share, self.cached), (1 - self.cached_share, self.computed))

    def share_within(self, seconds: float, slowness: float = 1.0) -> float:
        return sum(share * latency.share_within(seconds, slowness) for share, latency in self.latencies())

    def mean_seconds(self, slowness: float = 1.0) -> float:
        return sum(share * latency.mean_seconds(slowness) for share, latency in self.latencies())


QUERY = Route("POST", "/query", 0.55, Latency(0.030, 0.5), Latency(0.22, 0.4), cached_share=0.9)
DOCUMENT = Route(
    "GET",
    "/documents/{id}",
    0.35,
    Latency(0.006, 0.4),
    Latency(0.018, 0.5),
    cached_share=0.85,
    missing_share=0.02,
)
HEALTH = Route("GET", "/healthz", 0.10, Latency(0.002, 0.4), Latency(0.002, 0.4))
ROUTES = (QUERY, DOCUMENT, HEALTH)


def requests_per_second(time: float, anchor: float) -> float:
    """The expected rate at `time` (seconds since the epoch), of all routes together.

    `anchor` is when the sandbox was built; growth is counted from there, so that it never runs away.
    """
    hour = time / 3600 % 24
    daily = 1 + 0.45 * math.cos(2 * math.pi * (hour - 14) / 24)
    is_weekend = (int(time // DAY) + 3) % 7 >= 5  # 1 January 1970 was a Thursday
    growth = max(0.5, min(2.0, 1 + GROWTH_PER_DAY * (time - anchor) / DAY))
    return MEAN_REQUESTS_PER_SECOND * daily * (WEEKEND if is_weekend else 1.0) * growth


def is_incident(time: float, anchor: float) -> bool:
    begin = anchor - INCIDENT_AGE_SECONDS
    return begin <= time < begin + INCIDENT_SECONDS


def popular(source: random.Random, count: int) -> int:
    """An index below `count`, small ones far more often than large ones."""
    return min(count - 1, int(count * source.random() ** 2.5))


def bucket_index(seconds: float) -> int:
    """The first bucket that holds a duration; len(BUCKETS_SECONDS) is +Inf."""
    return bisect_left(BUCKETS_SECONDS, seconds)
