"""The service's objectives, as an environment has them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from docrag_ops.core.records import Record
from docrag_ops.core.service_level.spells import PlannedWindow


class SloSection(Record):
    """What the service promises its users, and how it is seen whether it keeps that."""

    availability: Annotated[
        float, Field(gt=0, lt=1, description="good of valid requests, a ratio below 1, e.g. 0.999")
    ]
    p95_seconds: Annotated[
        float, Field(gt=0, description="within how many seconds 95 % of the requests are answered, e.g. 0.5")
    ]
    probe: Annotated[
        str,
        Field(
            min_length=1,
            description='a selector of series that are 1 while the service is up, e.g. up{job="api"}',
        ),
    ]
    window_days: Annotated[
        tuple[Annotated[int, Field(ge=1, le=366)], ...],
        Field(min_length=1, description="the windows that are looked at, in days, e.g. [1, 7, 30, 90]"),
    ] = (1, 7, 30, 90)
    budget_days: Annotated[
        int, Field(ge=1, le=366, description="over how many days the error budget counts, e.g. 30")
    ] = 30
    least_coverage: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="the share of a window that has to be known for it to be judged, e.g. 0.95",
        ),
    ] = 0.95
    probe_window_minutes: Annotated[
        int,
        Field(ge=1, le=15, description="four scrape intervals or more; a shorter spell is not seen, e.g. 5"),
    ] = 5
    least_requests: Annotated[
        float,
        Field(ge=1, description="with fewer requests in that window, all failing is no downtime, e.g. 10"),
    ] = 10
    planned: Annotated[
        tuple[PlannedWindow, ...], Field(description="announced work: a list of start, end, reason, owner")
    ] = ()

    @property
    def variables(self) -> dict[str, str]:
        """What the queries below include/promql/slo/ ask for; `others` are there while Prometheus is.

        Only `up` is Prometheus' own: an exporter that is down says nothing about what it probes.
        """
        return {"probe": self.probe, "others": "up" if self.probe.partition("{")[0] == "up" else self.probe}
