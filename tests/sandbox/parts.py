"""The parts of the sandbox: what each is called, where it listens, what must stand before it."""

import dataclasses
import sys
from collections.abc import Callable

from tests.sandbox import postgres_servers, processes, redis_server
from tests.sandbox.settings import PACKAGE, Settings


@dataclasses.dataclass(frozen=True)
class Part:
    """One process. `start` starts only what is missing; `stop` says whether there was something to stop."""

    name: str
    port_setting: str
    start: Callable[[Settings], None]
    stop: Callable[[Settings], bool]
    needs: tuple[str, ...] = ()
    more_port_settings: tuple[str, ...] = ()
    built: Callable[[], bool] = lambda: True

    def port(self, settings: Settings) -> int:
        return int(getattr(settings, self.port_setting))

    def ports(self, settings: Settings) -> dict[str, int]:
        return {name: int(getattr(settings, name)) for name in (self.port_setting, *self.more_port_settings)}


def _stop_process(name: str) -> Callable[[Settings], bool]:
    return lambda settings: processes.stop(settings, name)


def _start_cluster(settings: Settings) -> None:
    processes.start(
        settings,
        "cluster",
        [
            *(sys.executable, "-m", "tests.sandbox.cluster", "--port", str(settings.kubernetes_port)),
            *("--state", str(settings.state_dir), "--manifests", str(PACKAGE / "manifests")),
        ],
        port=settings.kubernetes_port,
        ready=lambda: (settings.state_dir / "kubeconfig").exists(),
    )


PARTS = (
    Part(
        "postgres",
        "postgres_port",
        postgres_servers.start_maintained,
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
        postgres_servers.start_airflow_db,
        lambda settings: postgres_servers.stop(settings, postgres_servers.AIRFLOW_DB),
    ),
    Part("redis", "redis_port", redis_server.start, redis_server.stop),
)


def part(name: str) -> Part:
    return next(one for one in PARTS if one.name == name)
