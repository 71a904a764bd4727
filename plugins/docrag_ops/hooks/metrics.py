"""Prometheus: instant and range queries over its HTTP API.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.web import READ_SECONDS, WebHook


@dataclass(frozen=True)
class Series:
    """One series of an instant vector. The value may be NaN or infinite: that is for the judge to see."""

    labels: Mapping[str, str]
    value: float


class MetricsHook(WebHook):
    """Asks Prometheus (or what speaks its API) by the Connection `docrag_prometheus`."""

    def __init__(self, conn_id: str = "docrag_prometheus") -> None:
        super().__init__(conn_id, name="Prometheus")

    def query(self, promql: str) -> list[Series]:
        """Evaluate an instant query. An empty list means that no series matched, which is not health.

        :raises CouldNotMeasureError: for an error body, and for warnings, which say that data is missing.
        """
        data = self._data("/api/v1/query", {"query": promql})
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

    @property
    def _who(self) -> str:
        return f"{self.name} at {self.base_url}"

    def _data(self, path: str, form: dict[str, str]) -> Mapping[str, Any]:
        response = self.ask("POST", path, data={**form, "timeout": f"{READ_SECONDS - 2:g}s"})
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
            raise CouldNotMeasureError(f"{self._who} refused the query ({detail}): {form['query'][:300]!r}")
        # Before 3.0, notes about a query are among the warnings too.
        warnings = [text for text in body.get("warnings") or () if not str(text).startswith("PromQL info")]
        if warnings:
            raise CouldNotMeasureError(
                f"{self._who} warns that its answer is not whole: {'; '.join(warnings)}"
            )
        return dict(body["data"])
