"""A quantile of a histogram, as Prometheus' histogram_quantile takes it.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
"""

from __future__ import annotations

import math
from collections.abc import Mapping


def quantile(share: float, buckets: Mapping[str, float]) -> float | None:
    """The value below which a share of the observations lies; None when there is no observation.

    `buckets`: upper bound -> observations up to it. Within a bucket they are taken to be spread evenly; beyond the
    largest finite bound, that bound is all that is known.

    >>> quantile(0.5, {"0.1": 10, "0.2": 20, "+Inf": 20})
    0.1
    >>> quantile(0.75, {"1": 10, "2": 20, "+Inf": 20})
    1.5
    """
    ordered = sorted((float(bound), count) for bound, count in buckets.items())
    if not ordered or not math.isinf(ordered[-1][0]):
        return None
    rising: list[tuple[float, float]] = []
    for bound, count in ordered:  # increase() may leave a bucket a hair below the one before
        rising.append((bound, max(count, rising[-1][1]) if rising else count))
    total = rising[-1][1]
    if total <= 0 or len(rising) < 2:
        return None
    rank = share * total
    below_bound, below_count = 0.0, 0.0
    for bound, count in rising:
        if count >= rank:
            if math.isinf(bound):
                return below_bound
            inside = count - below_count
            return below_bound + (bound - below_bound) * ((rank - below_count) / inside if inside else 0.0)
        below_bound, below_count = bound, count
    return None
