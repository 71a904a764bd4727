"""The maintenance on a database of its own: made, planned, applied and proved as the tasks of its entry do it.

As a program, `python -m tests.databases.maintenance ENVIRONMENT RUN_ID POLICY`, it plans, approves by policy and
applies: a task that a test can kill.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException
from psycopg import sql

from docrag_ops.core.change_record import ChangeRecord
from docrag_ops.core.changes import Plan, Step, what_changed
from docrag_ops.core.environments import ChangeSection, Environment
from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.change_records import ChangeRecords
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators import changes as flow
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.change_kinds.database_maintenance import Change
from tests.sandbox import postgres_servers, processes
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import MAINTAINED, address, superuser
from tests.sandbox.settings import REPOSITORY, Settings

ENTRY, KIND = "weekly_database_maintenance", "database_maintenance"
SCHEMA = 'Odd "schema" 50%s'
SESSIONS = "User \"sessions\" 100%\n'x'"
POLICY: dict[str, Any] = {
    "retention": [{"table": [SCHEMA, SESSIONS], "column": 'Last "seen" %', "days": 30}],
    "pace": {"pause_seconds": 0, "patience_seconds": 1},
    "vacuum": {"cost_delay_ms": 0, "dead_rows": 100},
    "reindex": {"bloat": 0.4, "wasted_bytes": 100_000},
    "lock_timeout_seconds": 0.3,
}
LIMITS = {"rows": 1e9, "share": 1, "partitions": 99, "leftovers": 99, "rebuilt_bytes": 1e12}
PATIENCE_SECONDS = 60
_HOUR = timedelta(hours=1)


class World:
    """The database, and the change as the policy of the test has it."""

    def __init__(self, settings: Settings, run_id: str, *, database: str) -> None:
        self.settings = settings
        self.database = database
        self.run_id = run_id
        self.policy = json.loads(json.dumps(POLICY))
        self.failure = ""

    @property
    def environment(self) -> str:
        """An environment of its own: what other tests' killed runs left open is none of it."""
        return self.database.replace("_", "-")

    def make(self, text: str) -> None:
        """Run SQL as the application's role; {schema} and {sessions} are the hostile names."""
        with self.application() as connection:
            connection.execute(named(text))

    def named(self, text: str, **more: sql.Composable) -> sql.Composed:
        """SQL with the hostile names, and others, in it."""
        return named(text, **more)

    def value(self, query: str) -> Any:
        """The one value that a query answers."""
        with self.superuser() as connection:
            row = connection.execute(named(query)).fetchone()
        return row[0] if row else None

    def superuser(self) -> Any:
        return superuser(self.settings, MAINTAINED, self.database)

    @contextmanager
    def application(self, role: str = "docrag") -> Iterator[psycopg.Connection[Any]]:
        """A session of the application's, each statement on its own."""
        where = address(self.settings, MAINTAINED, role, passwords(self.settings)[role], self.database)
        with psycopg.connect(**where, autocommit=True) as connection:
            yield connection

    @contextmanager
    def transaction(self, text: str) -> Iterator[psycopg.Connection[Any]]:
        """A transaction of the application's that has done something, and stays open."""
        with self.application() as connection, connection.transaction(force_rollback=True):
            connection.execute(named(text))
            yield connection

    def change(self) -> Change:
        return Change(asking(self.environment, self.policy, self.run_id))

    def plan(self) -> Plan:
        return self.change().plan()

    def run(self) -> tuple[Plan, list[str]]:
        """Plan and apply, as the flow does it: look, then apply."""
        kind = self.change()
        plan = kind.plan()
        said = []
        for step in plan.steps:
            assert what_changed(step.fingerprint, kind.look(step)) == ""
            said.append(kind.apply(step))
        return plan, said

    def rows(self) -> int:
        return int(self.value("SELECT count(*) FROM {sessions}"))

    def invalid(self) -> list[str]:
        query = "SELECT coalesce(array_agg(indexrelid::regclass::text), '{{}}') FROM pg_index WHERE NOT indisvalid"
        return list(self.value(query))

    def run_tasks(self, run_id: str) -> ChangeRecord:
        """A run of the entry, from its plan to its proof; the record also when it ends in red."""
        try:
            run_tasks(self.environment, run_id, self.policy)
        except AirflowFailException as error:
            self.failure = str(error)
        return self.record(run_id)

    def record(self, run_id: str) -> ChangeRecord:
        found = ChangeRecords().find(run_key(self.environment, run_id), KIND)
        assert found is not None
        return found

    def tables(self) -> list[str]:
        """The tables in the schema public."""
        query = "SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = "
        return list(self.value(query + "'public'::regnamespace") or [])

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Restart the server; SIGQUIT is a crash, of which it knows no dead row any more.

        What is dirty is written before, so that a slow disk does not keep it from its end.
        """
        with self.superuser() as connection:
            connection.execute("CHECKPOINT")
        processes.stop(self.settings, MAINTAINED.name, how=how, patience_seconds=120)
        postgres_servers.start(self.settings, MAINTAINED)

    def start_task(self, run_id: str) -> subprocess.Popen[str]:
        """The tasks of a run in a process of their own."""
        arguments = [self.environment, run_id, json.dumps(self.policy)]
        command = [sys.executable, "-m", "tests.databases.maintenance", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "plugins")}
        return subprocess.Popen(command, cwd=REPOSITORY, env=environment, text=True, stderr=subprocess.PIPE)


def named(text: str, **more: sql.Composable) -> sql.Composed:
    sessions = sql.Identifier(SCHEMA, SESSIONS)
    return sql.SQL(text).format(schema=sql.Identifier(SCHEMA), sessions=sessions, **more)


def run_key(environment: str, run_id: str) -> RunKey:
    return RunKey(environment=environment, entry=ENTRY, run_id=run_id)


def asking(environment: str, policy: Mapping[str, Any], run_id: str) -> Asking:
    return Asking(
        environment=environment_with(environment, policy),
        include=IncludeFolder(),
        run=run_key(environment, run_id),
        now=datetime.now(UTC),
        task_instance=None,
    )


def environment_with(name: str, policy: Mapping[str, Any]) -> Environment:
    changes = {KIND: ChangeSection(limits=LIMITS, policy=dict(policy))}
    return IncludeFolder().environment("docrag-prod").model_copy(update={"name": name, "changes": changes})


def export_to(folder: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the old rows of the world's first policy exported to a folder."""
    connection = {"conn_type": "fs", "extra": {"path": str(folder)}}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_ARCHIVE", json.dumps(connection))
    world.policy["retention"][0]["export"] = "docrag_archive"


def actions(plan: Plan) -> list[str]:
    return [step.action for step in plan.steps]


def step_of(plan: Plan, action: str) -> Step:
    return next(step for step in plan.steps if step.action == action)


def wait_until(what: str, condition: Callable[[], Any]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, f"waited {PATIENCE_SECONDS} s in vain until {what}"
        time.sleep(0.02)


def run_tasks(environment: str, run_id: str, policy: Mapping[str, Any], *, last: str = "prove") -> None:
    """Plan, approve by policy, apply and prove with the real operators, until after the task `last`.

    As in Airflow, the proof comes whatever became of the tasks before it.
    """
    found = environment_with(environment, policy)
    run = SimpleNamespace(run_type="manual", run_after=datetime.now(UTC), triggering_user_name="test")
    context: Any = {
        "dag": SimpleNamespace(dag_id=ENTRY),
        "run_id": run_id,
        "dag_run": run,
        "ti": SimpleNamespace(xcom_push=lambda **_: None),
        "task": SimpleNamespace(get_direct_relatives=lambda upstream: []),
        "params": {"environment": environment},
    }
    options = {"change": KIND}
    with (
        mock.patch.object(IncludeFolder, "environment", return_value=found),
        mock.patch.object(flow.ApproveOperator, "skip"),
        mock.patch("docrag_ops.core.cooldowns.COOLDOWN", timedelta(0)),
    ):
        flow.PlanOperator(task_id="plan", acts_alone=True, only_plan="False", **options).execute(context)
        flow.ApproveOperator(task_id="approve", response_timeout=_HOUR, **options).execute(context)
        try:
            if ChangeRecords().find(run_key(environment, run_id), KIND).decision:
                flow.ApplyOperator(task_id="apply", **options).execute(context)
        finally:
            if last == "prove" and not isinstance(sys.exception(), KeyboardInterrupt):
                flow.ProveOperator(task_id="prove", **options).execute(context)


if __name__ == "__main__":
    run_tasks(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), last="apply")
