"""What the demo and the end-to-end tests ask of Airflow's REST API."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests

from tests.sandbox.errors import SandboxError

FINISHED = {"success", "failed"}
PAUSE_SECONDS = 0.3


class AirflowClient:
    """One user's session. Every call raises SandboxError with Airflow's own words when it is refused."""

    def __init__(self, url: str, user: str, password: str, *, timeout_seconds: float = 60):
        self.url = url
        self.timeout_seconds = timeout_seconds
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy on the way to 127.0.0.1
        token = self.call("POST", "/auth/token", json={"username": user, "password": password})[
            "access_token"
        ]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON answer; `path` as in /openapi.json."""
        answer = self.session.request(method, self.url + path, timeout=self.timeout_seconds, **options)
        if not answer.ok:
            raise SandboxError(
                f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:500]}"
            )
        return answer.json() if answer.content else None

    def import_pools(self, pools: Mapping[str, Mapping[str, Any]]) -> None:
        """`pools` as in include/airflow/pools.json; those that exist are overwritten."""
        self._create("pools", [{"name": name, **pool} for name, pool in pools.items()])

    def import_connections(self, connections: Mapping[str, Mapping[str, Any]]) -> None:
        """`connections` as in .sandbox/connections.json; those that exist are overwritten."""
        entities = [
            {"connection_id": name, **connection, "extra": json.dumps(connection.get("extra", {}))}
            for name, connection in connections.items()
        ]
        self._create("connections", entities)

    def wait_for_dag(self, dag_id: str, *, parsed_after: datetime, timeout_seconds: float = 90) -> None:
        """Until the dag processor has read this DAG's file, at or after `parsed_after`."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            answer = self.session.get(f"{self.url}/api/v2/dags/{dag_id}", timeout=self.timeout_seconds)
            if answer.ok and _time(answer.json()["last_parsed_time"]) >= parsed_after:
                return
            errors = self.import_errors()
            if errors:
                raise SandboxError(
                    "\n".join(f"{file} does not load:\n{trace}" for file, trace in errors.items())
                )
            if time.monotonic() > deadline:
                raise SandboxError(f"Airflow did not read the DAG {dag_id!r} within {timeout_seconds:.0f} s")
            time.sleep(PAUSE_SECONDS)

    def import_errors(self) -> dict[str, str]:
        """DAG file → traceback."""
        errors = self.call("GET", "/api/v2/importErrors")["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in errors}

    def unpause(self, dag_id: str) -> None:
        self.call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run by hand, as the REST API does it (without a logical date); returns its run id."""
        body = {"logical_date": None, "conf": dict(conf or {})}
        run_id: str = self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)["dag_run_id"]
        return run_id

    def state(self, dag_id: str, run_id: str) -> str:
        state: str = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"]
        return state

    def wait(self, dag_id: str, run_id: str, *, timeout_seconds: float = 400) -> str:
        """The state a run ended in: success or failed."""
        deadline = time.monotonic() + timeout_seconds
        while (state := self.state(dag_id, run_id)) not in FINISHED:
            if time.monotonic() > deadline:
                tasks = self.task_states(dag_id, run_id)
                raise SandboxError(
                    f"Run {run_id} of {dag_id} is still {state} after {timeout_seconds:.0f} s: {tasks}"
                )
            time.sleep(PAUSE_SECONDS)
        return state

    def run(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> tuple[str, str]:
        """Trigger a run and wait for its end: (run id, state)."""
        run_id = self.trigger(dag_id, conf)
        return run_id, self.wait(dag_id, run_id)

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Task id → state; mapped tasks as `id[index]`."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=500"
        found = self.call("GET", path)["task_instances"]
        return {
            task["task_id"] + (f"[{task['map_index']}]" if task["map_index"] >= 0 else ""): task["state"]
            for task in found
        }

    def find_xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """The value a task pushed; None when it pushed none."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries"
        pushed = self.call("GET", path)["xcom_entries"]
        if not any(entry["key"] == key for entry in pushed):
            return None
        return self.call("GET", f"{path}/{key}", params={"deserialize": False, "stringify": False})["value"]

    def log_events(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> list[str]:
        """What a task logged, a text per event; an exception with its message."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        events = []
        for entry in self.call("GET", path, params={"full_content": True})["content"]:
            text = entry if isinstance(entry, str) else entry["event"]
            causes = [] if isinstance(entry, str) else entry.get("error_detail") or []
            events.append(
                ": ".join([text, *(f"{cause['exc_type']}: {cause['exc_value']}" for cause in causes)])
            )
        return events

    def _create(self, what: str, entities: list[dict[str, Any]]) -> None:
        action = {"action": "create", "action_on_existence": "overwrite", "entities": entities}
        answer = self.call("PATCH", f"/api/v2/{what}", json={"actions": [action]})
        if answer["create"]["errors"]:
            raise SandboxError(f"Airflow did not take over the {what}: {answer['create']['errors']}")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
