"""Airflow in the sandbox: `python -m tests.sandbox.airflow_services up|down|status`.

Its four services run as processes of their own instead of below `airflow standalone`: the parent that
standalone adds imports all of Airflow once more, asks the database ten times a second whether the others are
ready, and, when it is killed, leaves them behind. Measured on 2 idle cores: 14 s until all are healthy and
0.5 GB (PSS), stopped in 5 s.

The log servers of the scheduler and the triggerer are left out: they listen on every interface and no setting
changes that. The API server reads the logs from the folder the tasks write to; the log page of a task that
still runs has one line more, that its log server could not be reached.
"""

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg
import requests

from tests.sandbox import airflow_settings, ports, processes
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.errors import SandboxError
from tests.sandbox.passwords import passwords
from tests.sandbox.settings import REPOSITORY, Settings, load_settings

COMMANDS = {
    "airflow-api-server": ["api-server"],
    "airflow-scheduler": ["scheduler", "--skip-serve-logs"],
    "airflow-dag-processor": ["dag-processor"],
    "airflow-triggerer": ["triggerer", "--skip-serve-logs"],
}
HEARTBEATS = {
    "airflow-scheduler": ("scheduler", "latest_scheduler_heartbeat"),
    "airflow-dag-processor": ("dag_processor", "latest_dag_processor_heartbeat"),
    "airflow-triggerer": ("triggerer", "latest_triggerer_heartbeat"),
}
AIRFLOW = Path(sys.executable).with_name("airflow")
READY_SECONDS = 180
STOP_SECONDS = 15


def up(
    settings: Settings,
    say: Callable[[str], None] = print,
    *,
    dags_folder: Path = REPOSITORY / "dags",
    more_dags: Path | None = None,
) -> AirflowClient:
    """Start what does not run, on top of whatever an earlier start left; returns a client of user admin."""
    forget_foreign_settings()
    missing = [name for name in COMMANDS if not processes.alive(settings, name)]
    if missing:
        end_leftovers(settings)
        if "airflow-api-server" in missing:
            ports.check_ports_are_free({"airflow_port": settings.airflow_port})
        migrate(settings, say)
        say(f"Airflow starts: {', '.join(missing)}")
    variables = airflow_settings.environment(settings, dags_folder=dags_folder, more_dags=more_dags)
    airflow_settings.link_configuration(settings)
    for name, arguments in COMMANDS.items():
        port = settings.airflow_port if name == "airflow-api-server" else None
        processes.start(settings, name, [str(AIRFLOW), *arguments], port=port, env=variables)
    wait_until_healthy(settings)
    client = connect(settings)
    client.import_pools(json.loads((REPOSITORY / "include/airflow/pools.json").read_text()))
    client.import_connections(json.loads((settings.state_dir / "connections.json").read_text()))
    return client


def down(settings: Settings) -> bool:
    """Stop all of Airflow; returns whether anything ran."""
    found = [record for name in COMMANDS if (record := processes.find(settings, name))]
    for record in found:  # all at once, and with their children, as Ctrl-C in a terminal does
        with contextlib.suppress(ProcessLookupError):
            os.killpg(record.pid, signal.SIGTERM)
    processes.wait_until(lambda: not any(processes.alive(settings, name) for name in COMMANDS), STOP_SECONDS)
    left = end_leftovers(settings)
    for name in COMMANDS:
        processes.stop(settings, name, patience_seconds=3)
    return left or bool(found)


def status(settings: Settings) -> dict[str, str]:
    """Service → `up (pid N)` or `down`."""
    found = {name: processes.find(settings, name) for name in COMMANDS}
    return {name: f"up (pid {record.pid})" if record else "down" for name, record in found.items()}


def connect(settings: Settings, user: str = "admin") -> AirflowClient:
    generated = airflow_settings.user_passwords(settings)
    return AirflowClient(airflow_settings.base_url(settings), user, generated[user])


def migrate(settings: Settings, say: Callable[[str], None]) -> None:
    """`airflow db migrate`, unless the database says that this very set of packages migrated it.

    The mark is a comment on Airflow's own version table: it goes when the database goes.
    """
    wanted = hashlib.sha256((REPOSITORY / "requirements.lock").read_bytes()).hexdigest()[:16]
    where = {"host": airflow_settings.ADDRESS, "port": settings.airflow_db_port, "connect_timeout": 10}
    login = {"user": "airflow", "dbname": "airflow", "password": passwords(settings)["airflow"]}
    with psycopg.connect(**where, **login, autocommit=True) as database:
        mark = "SELECT obj_description(to_regclass('alembic_version'), 'pg_class')"
        if database.execute(mark).fetchone() == (wanted,):
            return
        say("Airflow's database is made or brought up to date")
        environment = {**os.environ, **airflow_settings.environment(settings)}
        command = [str(AIRFLOW), "db", "migrate"]
        made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SandboxError(f"`airflow db migrate` failed:\n{(made.stdout + made.stderr)[-3000:]}")
        database.execute(f"COMMENT ON TABLE alembic_version IS '{wanted}'")


def wait_until_healthy(settings: Settings) -> None:
    """Until every service answers; a heartbeat that is older than the process is that of an earlier one."""
    records = {name: processes.read(settings, name) for name in COMMANDS}

    def ended() -> list[str]:
        return [name for name in COMMANDS if not processes.alive(settings, name)]

    def healthy() -> bool:
        try:
            url = f"{airflow_settings.base_url(settings)}/api/v2/monitor/health"
            answer = requests.get(url, timeout=5, proxies={"http": ""}).json()
        except (requests.RequestException, ValueError):
            return False
        for name, (service, key) in HEARTBEATS.items():
            beat, record = answer[service][key], records[name]
            if not (beat and record and datetime.fromisoformat(beat).timestamp() >= record.started_at):
                return False
        return True

    fine = processes.wait_until(lambda: bool(ended()) or healthy(), READY_SECONDS, pause_seconds=0.2)
    if ended() or not fine:
        logs = [settings.log_dir / f"{name}.log" for name in ended() or COMMANDS]
        what = f"ended: {', '.join(ended())}" if ended() else f"was not healthy within {READY_SECONDS} s"
        tails = "\n".join(f"--- {log}\n{processes.tail(log, 25)}" for log in logs)
        raise SandboxError(f"Airflow {what}\n{tails}")


def end_leftovers(settings: Settings) -> bool:
    """End what has no living parent any more; returns whether there was anything.

    The children of a service that was killed are found by its session, as Airflow's process titles overwrite
    the environment by which `processes.leftovers` knows its own.
    """
    dead = [record.pid for name in COMMANDS if (record := processes.read(settings, name))]
    dead = [pid for pid in dead if processes.start_time(pid) is None]
    found = [(pid, processes.start_time(pid)) for pid in processes_of_sessions(dead)]
    found += [
        (pid, began) for name, pid, began in processes.leftovers(settings) if name.startswith("airflow")
    ]
    for pid, began in found:
        if began is not None:
            processes.end(pid, began, how=signal.SIGKILL)
    return bool(found)


def processes_of_sessions(leaders: list[int]) -> list[int]:
    """Pids of the leaders' sessions. A leader's pid is not used again while its session has members."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # ended in the meantime
            if int(stat.read_text().rpartition(")")[2].split()[3]) in leaders:
                found.append(int(stat.parent.name))
    return found


def forget_foreign_settings() -> None:
    """A person's own AIRFLOW_HOME or AIRFLOW__* must not reach the sandbox's Airflow."""
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox.airflow_services", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"])
    settings = load_settings()
    match parser.parse_args().command:
        case "up":
            up(settings)
            print(f"Airflow is up at {airflow_settings.base_url(settings)}")
        case "down":
            print("Airflow is stopped" if down(settings) else "Airflow did not run")
        case _:
            print("\n".join(f"{name:22} {state}" for name, state in status(settings).items()))


if __name__ == "__main__":
    try:
        main()
    except SandboxError as error:
        sys.exit(f"error: {error}")
