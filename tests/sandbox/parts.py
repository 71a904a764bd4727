"""The parts of the sandbox: what each is called, where it listens, what must stand before it."""

import dataclasses
import sys
from collections.abc import Callable

from tests.sandbox import (
    alertmanager_server,
    backups,
    databases,
    log_files,
    postgres_servers,
    processes,
    prometheus_server,
    redis_server,
    scanner,
    storage,
    tls,
)
from tests.sandbox.local_http import answers
from tests.sandbox.ports import listening_ports
from tests.sandbox.settings import PACKAGE, Settings


@dataclasses.dataclass(frozen=True)
class Part:
    """One process. `start` starts only what is missing; `stop` says whether there was something to stop."""

    name: str
    port_setting: str | None
    start: Callable[[Settings], None]
    stop: Callable[[Settings], bool]
    needs: tuple[str, ...] = ()
    more_port_settings: tuple[str, ...] = ()
    is_process: bool = True

    def ports(self, settings: Settings) -> dict[str, int]:
        """Setting → port of everything it listens on, the main one first."""
        names = (self.port_setting, *self.more_port_settings)
        return {name: int(getattr(settings, name)) for name in names if name}


def _python_part(
    name: str, module: str, port_setting: str | None, health: str | None, needs: tuple[str, ...] = ()
) -> Part:
    """A part of our own, ready when `health` is answered."""

    def start(settings: Settings) -> None:
        port = int(getattr(settings, port_setting)) if port_setting else None
        processes.start(
            settings,
            name,
            [sys.executable, "-m", module],
            port=port,
            ready=(lambda: answers(f"http://127.0.0.1:{port}{health}")) if health else None,
        )

    return Part(name, port_setting, start, _stop_process(name), needs)


def _stop_process(name: str) -> Callable[[Settings], bool]:
    return lambda settings: processes.stop(settings, name)


def _start_cluster(settings: Settings) -> None:
    ports = {settings.kubernetes_port, settings.kubernetes_control_port}
    processes.start(
        settings,
        "cluster",
        [
            *(sys.executable, "-m", "tests.sandbox.cluster"),
            *("--port", str(settings.kubernetes_port)),
            *("--control-port", str(settings.kubernetes_control_port)),
            *("--state", str(settings.state_dir)),
            *("--manifests", str(PACKAGE / "manifests")),
        ],
        port=settings.kubernetes_port,
        ready=lambda: ports <= listening_ports() and (settings.state_dir / "kubeconfig").exists(),
    )


PARTS = (
    Part(
        "postgres",
        "postgres_port",
        databases.start_maintained,
        lambda settings: postgres_servers.stop(settings, postgres_servers.MAINTAINED),
    ),
    Part(
        "scratch",
        "scratch_port",
        lambda settings: postgres_servers.start(settings, postgres_servers.SCRATCH),
        lambda settings: postgres_servers.stop(settings, postgres_servers.SCRATCH),
    ),
    Part(
        "airflow-db",
        "airflow_db_port",
        databases.start_airflow_db,
        lambda settings: postgres_servers.stop(settings, postgres_servers.AIRFLOW_DB),
    ),
    Part("redis", "redis_port", redis_server.start, redis_server.stop),
    Part(
        "cluster",
        "kubernetes_port",
        _start_cluster,
        _stop_process("cluster"),
        more_port_settings=("kubernetes_control_port",),
    ),
    Part("storage", None, storage.start, storage.stop, needs=("cluster",), is_process=False),
    Part("scanner", None, scanner.start, scanner.stop, needs=("cluster",), is_process=False),
    Part(tls.PART, "tls_port", tls.start, tls.stop, needs=("cluster",)),
    Part(log_files.PART, None, log_files.start, log_files.stop, needs=("cluster",)),
    Part("backups", None, backups.start, lambda settings: False, needs=("postgres",), is_process=False),
    _python_part("qdrant", "tests.sandbox.qdrant", "qdrant_port", "/readyz"),
    _python_part("alarms", "tests.sandbox.alarms", "alarm_port", "/healthz"),
    Part("alertmanager", "alertmanager_port", alertmanager_server.start, alertmanager_server.stop),
    Part(
        "prometheus", "prometheus_port", prometheus_server.start, prometheus_server.stop, needs=("cluster",)
    ),
    _python_part("api", "tests.sandbox.api", "api_port", "/metrics", needs=("postgres", "redis", "cluster")),
    _python_part("load", "tests.sandbox.load", None, None, needs=("api", "prometheus")),
)


def part(name: str) -> Part:
    return next(one for one in PARTS if one.name == name)
