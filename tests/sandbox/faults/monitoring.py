"""Faults of Prometheus and Alertmanager."""

import json
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.sandbox import processes, prometheus_server
from tests.sandbox.faults.fault import Fault, State, wait_for
from tests.sandbox.faults.web import stopped
from tests.sandbox.settings import Settings

TARGET = {"targets": ["127.0.0.1:1"], "labels": {"instance": "api-canary:8000"}}
TARGET_IS_DOWN = 'up{job="api",instance="api-canary:8000"} == 0'
ALERT_FIRES = f'ALERTS{{alertname="{prometheus_server.ALERT}",alertstate="firing"}}'


def target_down(settings: Settings, state: State) -> None:
    """A fourth replica that nobody can reach."""
    partial = _target_file(settings).with_suffix(".partial")
    partial.write_text(json.dumps([TARGET]))
    partial.rename(_target_file(settings))
    wait_for("Prometheus finds the target down", lambda: _has_result(settings, TARGET_IS_DOWN))


def not_target_down(settings: Settings, state: State) -> None:
    _target_file(settings).unlink(missing_ok=True)
    wait_for("Prometheus forgets the target", lambda: not _has_result(settings, TARGET_IS_DOWN))


def alert_firing(settings: Settings, state: State) -> None:
    _set_alert(settings, firing=True)


def not_alert_firing(settings: Settings, state: State) -> None:
    _set_alert(settings, firing=False)


def _set_alert(settings: Settings, *, firing: bool) -> None:
    """The rule stays, so that Prometheus itself tells Alertmanager when the alert is over."""
    prometheus_server.write_rules(settings, firing=firing)
    prometheus_server.reload(settings)
    wait_for("Prometheus evaluates the rule", lambda: _has_result(settings, ALERT_FIRES) is firing)
    wait_for("Alertmanager is told", lambda: _is_known_to_alertmanager(settings) is firing)


def _target_file(settings: Settings) -> Path:
    return prometheus_server.config_folder(settings) / "targets" / "canary.json"


def wait_for_prometheus(settings: Settings, what: str, query: str, *, there: bool) -> None:
    """Wait until Prometheus, where it runs, has seen what was just changed."""
    if processes.alive(settings, "prometheus"):
        wait_for(f"Prometheus {what}", lambda: _has_result(settings, query) is there)


def _has_result(settings: Settings, query: str) -> bool:
    address = f"{prometheus_server.url(settings)}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    return bool(_get(address)["data"]["result"])


def _is_known_to_alertmanager(settings: Settings) -> bool:
    alerts = _get(f"http://127.0.0.1:{settings.alertmanager_port}/api/v2/alerts?active=true")
    return any(alert["labels"]["alertname"] == prometheus_server.ALERT for alert in alerts)


def _get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.loads(answer.read())


FAULTS = (
    stopped("prometheus", what="Prometheus does not run"),
    Fault("prometheus_target_down", "a replica of the API cannot be scraped", target_down, not_target_down),
    Fault(
        "prometheus_alert_firing",
        f"the alert {prometheus_server.ALERT} fires",
        alert_firing,
        not_alert_firing,
    ),
    stopped("alertmanager", what="Alertmanager does not run"),
)
