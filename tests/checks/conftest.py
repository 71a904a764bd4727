"""A run of one area's check task against what a fixture says."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from docrag_ops.core.environments import Environment
from docrag_ops.core.results import AreaResult
from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.checks import CheckOperator
from tests.checks import foreign, past
from tests.checks.fixture import Fixture

RUN = RunKey(environment="docrag-prod", entry="daily_health_check", run_id="scheduled__2026-11-23")


class KnownHistory:
    """A history that has the fixture's samples, and takes what is recorded."""

    samples_by_check: ClassVar[dict[str, Any]] = {}

    def samples(self, run: RunKey, *, latest: list[str], daily: dict[str, int], now: object) -> Any:
        wanted = {*latest, *daily}
        return {name: found for name, found in self.samples_by_check.items() if name in wanted}

    def record_area(self, *_: object, **__: object) -> None:
        """Taken."""

    def record_statements(self, *_: object, **__: object) -> None:
        """Taken."""


@pytest.fixture(scope="session")
def web() -> Iterator[foreign.WebServer]:
    with foreign.WebServer() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[foreign.RedisServer]:
    with foreign.RedisServer() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def environment() -> Environment:
    return IncludeFolder().environment("docrag-prod")


@pytest.fixture
def run_area(
    monkeypatch: pytest.MonkeyPatch,
    web: foreign.WebServer,
    redis_server: foreign.RedisServer,
    environment: Environment,
) -> Callable[[Fixture], AreaResult]:
    """Ask, read and judge a whole area as its check task does, and return what it would hand on."""

    def run(fixture: Fixture) -> AreaResult:
        include = IncludeFolder()
        answers = fixture.answers
        _connect(monkeypatch, web, redis_server)
        web.answers = answers.get("web", {})
        web.queries = {
            include.promql(name, environment.traffic.variables): answer
            for name, answer in answers.get("prometheus", {}).items()
        }
        web.ranges = _ranges(include, environment, answers.get("ranges", {}))
        redis_server.answers = answers.get("redis", {}) | foreign.keys_of(answers.get("keys", {}))
        clock = SimpleNamespace(perf_counter=lambda: web.clock_seconds)
        monkeypatch.setattr("docrag_ops.operators.sources.service.time", clock)
        _stand_in_for_postgres(monkeypatch, include, _with_statements(answers))
        cluster = "docrag_ops.hooks.cluster.ClusterHook"
        monkeypatch.setattr(f"{cluster}._ask", foreign.kubernetes(answers.get("kubernetes", {})))
        monkeypatch.setattr(f"{cluster}._who", "The Kubernetes API")
        monkeypatch.setattr(f"{cluster}.run", foreign.command_in_pod(answers.get("exec", {})))
        monkeypatch.setattr(f"{cluster}.run_raw", foreign.listing_in_pod(answers.get("files", {})))
        monkeypatch.setattr(f"{cluster}.stream_logs", foreign.log_of_pod(answers.get("logs", {})))
        endpoints = foreign.tls_endpoints(answers.get("tls", {}))
        monkeypatch.setattr("docrag_ops.operators.sources.certificates.TlsHook", endpoints)
        templates = foreign.kept_templates(answers.get("templates", {}))
        monkeypatch.setattr("docrag_ops.operators.sources.logs.LogTemplates", templates)
        entries = answers.get("airflow", {})
        monkeypatch.setattr("docrag_ops.operators.sources.entries.entry_names", lambda: sorted(entries))
        for store in ("AlarmOutbox", "AlarmSpool"):
            alarms = foreign.kept_alarms(answers.get("alarms", {}), store)
            monkeypatch.setattr(f"docrag_ops.operators.sources.alarms.{store}.waiting", alarms)
        sources = "docrag_ops.operators.sources"
        hours = past.service_hours(answers.get("service_hours", {}), fixture.now)
        monkeypatch.setattr(f"{sources}.service_level.ServiceHours", hours)
        days = past.capacity_days(answers.get("capacity_days", {}), fixture.now)
        monkeypatch.setattr(f"{sources}.capacity.CapacityDays", days)
        stored = past.statement_snapshots(answers.get("snapshots", []))
        monkeypatch.setattr(f"{sources}.statements.StatementSnapshots", stored)
        monkeypatch.setattr(
            f"{sources}.charts.ChartRecords", lambda: SimpleNamespace(record=lambda *_, **__: None)
        )
        if "pings" in answers:
            monkeypatch.setattr(
                "docrag_ops.hooks.cache.CacheHook.ping_seconds", foreign.pings(answers["pings"])
            )
        for name in ("runs", "verdicts"):
            runs = past.past_runs(answers, fixture.now)
            monkeypatch.setattr(f"{sources}.{name}.PastRuns", runs)
            monkeypatch.setattr(f"{sources}.{name}.schedules", past.schedules(answers.get("schedules", {})))
        monkeypatch.setattr(
            f"{sources}.backups.BackupStorage", foreign.stored_backups(answers.get("storage", {}))
        )
        monkeypatch.setattr(
            f"{sources}.restores.restore_all", foreign.restored_dumps(answers.get("drill", {}))
        )
        recovered = foreign.recovered_snapshots(answers.get("recovered", {}))
        monkeypatch.setattr(f"{sources}.restores.recover_all", recovered)
        swept = SimpleNamespace(sweep=lambda: (answers["swept"]["dropped"], answers["swept"]["running"]))
        monkeypatch.setattr(f"{sources}.scratch.ScratchHook", lambda: swept)
        monkeypatch.setattr(KnownHistory, "samples_by_check", fixture.samples)
        for module in ("hooks.history", "operators.sources.database", "operators.sources.statements"):
            monkeypatch.setattr(f"docrag_ops.{module}.HistoryHook", KnownHistory)
        asking = Asking(
            environment=environment,
            include=include,
            run=RUN,
            now=fixture.now,
            task_instance=foreign.Airflow(entries),
        )
        return CheckOperator(task_id=f"check_{fixture.area}", area=fixture.area).measure(asking)

    return run


def _ranges(include: IncludeFolder, environment: Environment, answers: dict[str, Any]) -> dict[str, Any]:
    """What range queries answer by their text; those with a window are asked with either."""
    probe = {**environment.traffic.variables, **environment.slo.variables}
    return {
        include.promql(name, {**probe, "window": window}): answer
        for name, answer in answers.items()
        for window in ("5m", "1h")
    }


def _with_statements(answers: dict[str, Any]) -> dict[str, Any]:
    """The rows of all queries, with those of pg_stat_statements where a fixture gives them in short."""
    known = answers.get("sql", {})
    if "statements" not in answers:
        return known
    return {**known, "postgres/statements.sql": past.statement_rows(answers["statements"])}


def _connect(
    monkeypatch: pytest.MonkeyPatch, web: foreign.WebServer, redis_server: foreign.RedisServer
) -> None:
    http = {"conn_type": "http", "host": "127.0.0.1", "port": web.server_address[1]}
    redis = {"conn_type": "redis", "host": "127.0.0.1", "port": redis_server.server_address[1]}
    postgres = {"conn_type": "postgres", "host": "127.0.0.1", "schema": "docrag"}
    for name in ("prometheus", "api", "qdrant"):
        monkeypatch.setenv(f"AIRFLOW_CONN_DOCRAG_{name.upper()}", json.dumps(http))
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_REDIS", json.dumps(redis))
    for name in ("POSTGRES", "POSTGRES_CHANGE"):
        monkeypatch.setenv(f"AIRFLOW_CONN_DOCRAG_{name}", json.dumps(postgres))


def _stand_in_for_postgres(
    monkeypatch: pytest.MonkeyPatch, include: IncludeFolder, answers: dict[str, Any]
) -> None:
    import psycopg
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    rows: dict[Any, Any] = {}
    for key, answer in answers.items():
        if "/" in key:
            name, _, word = key.partition(" ")
            text = include.query("sql", name)
            rows[(text.splitlines()[0], word) if word else text] = answer

    def open_connection(hook: object) -> foreign.PostgresConnection:
        if "refused" in answers:
            raise psycopg.OperationalError(answers["refused"])
        return foreign.PostgresConnection(rows)

    monkeypatch.setattr(PostgresHook, "get_conn", open_connection)
