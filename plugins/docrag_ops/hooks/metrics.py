"""Prometheus: instant and range queries over its HTTP API.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from docrag_ops.core.alert_rules import AlertRule
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.web import READ_SECONDS, WebHook

if TYPE_CHECKING:
    from requests import Response


@dataclass(frozen=True)
class Series:
    """One series of an instant vector. The value may be NaN or infinite: that is for the judge to see."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class RangeSeries:
    """One series of a range: seconds since the epoch -> value. A time without a sample has no entry."""

    labels: Mapping[str, str]
    points: Mapping[int, float]


RULES_PATH = "/api/v1/rules?type=alert"
NOT_SERVED = (403, 404, 405)
"""What a front (Thanos, VictoriaMetrics, a proxy) says that answers queries and knows no rules."""
RANGE_SECONDS = 45.0
MOST_POINTS = 11_000
"""More points of one series are refused by Prometheus."""


class MetricsHook(WebHook):
    """Asks Prometheus (or what speaks its API) by the Connection `docrag_prometheus`."""

    def __init__(self, conn_id: str = "docrag_prometheus") -> None:
        super().__init__(conn_id, name="Prometheus")

    def query(self, promql: str) -> list[Series]:
        """Evaluate an instant query. An empty list means that no series matched, which is not health.

        :raises CouldNotMeasureError: for an error body, and for warnings, which say that data is missing.
        """
        data = self._data("/api/v1/query", {"query": promql}, read_seconds=READ_SECONDS)
        kind, result = data.get("resultType"), data.get("result")
        if kind != "vector" or not isinstance(result, list):
            raise CouldNotMeasureError(
                f"{self._who} answered a {kind!r}; expected a vector: {promql[:300]!r}"
            )
        try:
            return [Series(one["metric"], float(one["value"][1])) for one in result]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise CouldNotMeasureError(
                f"{self._who} answered a vector without labels and values: {error!r}"
            ) from error

    def query_range(
        self, promql: str, *, start: datetime, end: datetime, step_seconds: int
    ) -> list[RangeSeries]:
        """Evaluate a query at start, then every step up to the end; an empty list means that no series matched.

        NaN and infinity are no samples: Prometheus writes them where there was nothing to divide by.

        :raises CouldNotMeasureError: as `query`, and for a range of more points than Prometheus answers.
        """
        seconds = (end - start).total_seconds()
        if seconds < 0 or seconds / step_seconds >= MOST_POINTS:
            raise ValueError(f"{start} to {end} every {step_seconds} s; expected 0 to {MOST_POINTS:,} points")
        form = {
            "query": promql,
            "start": f"{start.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": str(step_seconds),
        }
        data = self._data("/api/v1/query_range", form, read_seconds=RANGE_SECONDS)
        kind, result = data.get("resultType"), data.get("result")
        if kind != "matrix" or not isinstance(result, list):
            raise CouldNotMeasureError(
                f"{self._who} answered a {kind!r}; expected a matrix: {promql[:300]!r}"
            )
        try:
            return [RangeSeries(one["metric"], _points(one["values"])) for one in result]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise CouldNotMeasureError(
                f"{self._who} answered a matrix without labels and values: {error!r}"
            ) from error

    def alert_rules(self) -> list[AlertRule] | None:
        """Every alerting rule that is loaded; None where rules are not served, which is not the same as having none.

        :raises CouldNotMeasureError: as `query`
        """
        response = self.ask("GET", RULES_PATH)
        if response.status_code in NOT_SERVED:
            return None
        try:
            return [
                AlertRule(group["name"], rule["name"], rule["health"], rule.get("lastError") or "")
                for group in self._data_of(response, RULES_PATH)["groups"] or ()
                for rule in group["rules"] or ()
                if rule["type"] == "alerting"
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise CouldNotMeasureError(
                f"{self._who} answered {RULES_PATH} without groups of rules: {error!r}"
            ) from error

    @property
    def _who(self) -> str:
        return f"{self.name} at {self.base_url}"

    def _data(self, path: str, form: dict[str, str], *, read_seconds: float) -> Mapping[str, Any]:
        limited = {**form, "timeout": f"{read_seconds - 2:g}s"}
        return self._data_of(self.ask("POST", path, data=limited, read_seconds=read_seconds), form["query"])

    def _data_of(self, response: Response, question: str) -> Mapping[str, Any]:
        try:
            body = response.json()
        except ValueError as error:
            raise CouldNotMeasureError(
                f"{self._who} answered HTTP {response.status_code} with something that is no JSON: "
                f"{response.text[:300]!r}"
            ) from error
        if (
            not isinstance(body, dict)
            or body.get("status") != "success"
            or not isinstance(body.get("data"), dict)
        ):
            detail = (
                f"{body.get('errorType')}: {body.get('error')}"
                if isinstance(body, dict)
                else repr(body)[:300]
            )
            raise CouldNotMeasureError(f"{self._who} refused the query ({detail}): {question[:300]!r}")
        # Before 3.0, notes about a query are among the warnings too.
        warnings = [text for text in body.get("warnings") or () if not str(text).startswith("PromQL info")]
        if warnings:
            raise CouldNotMeasureError(
                f"{self._who} warns that its answer is not whole: {'; '.join(warnings)}"
            )
        return dict(body["data"])


def _points(values: list[Any]) -> dict[int, float]:
    numbers = ((round(float(time)), float(value)) for time, value in values)
    return {time: value for time, value in numbers if math.isfinite(value)}
