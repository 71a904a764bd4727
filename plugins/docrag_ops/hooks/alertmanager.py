"""Alertmanager: what it is told of findings, and which of them it has silenced (API v2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from docrag_ops.core.alerts import Silence
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.web import WebHook

CONN_ID = "docrag_alertmanager"
AT_ONCE = 500


class AlertmanagerHook(WebHook):
    """Alertmanager by the Connection `docrag_alertmanager`."""

    def __init__(self) -> None:
        super().__init__(CONN_ID, name="Alertmanager")

    def is_configured(self) -> bool:
        """Whether there is such a Connection."""
        from airflow.sdk.exceptions import AirflowNotFoundException

        try:
            return bool(self.connection)
        except AirflowNotFoundException:
            return False

    def post(self, alerts: Sequence[dict[str, Any]]) -> None:
        """Tell it of alerts; one whose `endsAt` is past is resolved.

        :raises CouldNotMeasureError: when it is not reachable or refuses them.
        """
        for start in range(0, len(alerts), AT_ONCE):
            answer = self.ask("POST", "/api/v2/alerts", json=list(alerts[start : start + AT_ONCE]))
            if answer.status_code != 200:
                raise CouldNotMeasureError(
                    f"Alertmanager at {self.base_url} refused the findings with HTTP {answer.status_code}: "
                    f"{answer.text[:300]!r}"
                )

    def silences(self, environment: str) -> list[Silence]:
        """The silences of this environment's findings, as Alertmanager itself matches them."""
        query = urlencode({"filter": f'environment="{environment}"', "active": "false", "inhibited": "false"})
        alerts = self.ask_json("GET", f"/api/v2/alerts?{query}")
        if not alerts:
            return []
        by_id = {silence["id"]: silence for silence in self.ask_json("GET", "/api/v2/silences")}
        return list(_silences(alerts, by_id))


def _silences(alerts: list[dict[str, Any]], by_id: dict[str, dict[str, Any]]) -> Iterator[Silence]:
    for alert in alerts:
        labels = alert["labels"]
        for silence_id in alert["status"]["silencedBy"]:
            silence = by_id.get(silence_id, {})
            yield Silence(
                check=labels.get("alertname", ""),
                subject=labels.get("subject", ""),
                severity=labels.get("severity", ""),
                owner=silence.get("createdBy", "unknown"),
                reason=silence.get("comment", ""),
                ends_at=silence.get("endsAt", ""),
                silence_id=silence_id,
            )
