"""What the sandbox tells others: Airflow's Connections, and the surroundings of commands run in pods."""

import json
import shutil
from typing import Any

from tests.sandbox import tls
from tests.sandbox.passwords import passwords, write_private
from tests.sandbox.programs import program
from tests.sandbox.settings import Settings

LOCALHOST = "127.0.0.1"


def connections(settings: Settings) -> dict[str, dict[str, Any]]:
    """Connection id → {conn_type, host, port, login, password, schema, extra}, absent keys left out."""
    known = passwords(settings)
    kubernetes = {
        "conn_type": "kubernetes",
        "extra": {"kube_config_path": str(settings.state_dir / "kubeconfig")},
    }

    def postgres(port: int, login: str, database: str, secret: str | None = None) -> dict[str, Any]:
        return {
            "conn_type": "postgres",
            "host": LOCALHOST,
            "port": port,
            "login": login,
            "password": known[secret or login],
            "schema": database,
        }

    def http(port: int) -> dict[str, Any]:
        return {"conn_type": "http", "host": f"http://{LOCALHOST}", "port": port}

    return {
        "docrag_kubernetes": kubernetes,
        "docrag_kubernetes_change": kubernetes,
        "docrag_postgres": postgres(settings.postgres_port, "docrag_monitor", "docrag"),
        "docrag_postgres_change": postgres(settings.postgres_port, "docrag_maintenance", "docrag"),
        "docrag_postgres_scratch": postgres(settings.scratch_port, "postgres", "postgres", "scratch"),
        "docrag_history": postgres(settings.airflow_db_port, "docrag_history", "docrag_history"),
        "docrag_redis": {
            "conn_type": "redis",
            "host": LOCALHOST,
            "port": settings.redis_port,
            "password": known["redis"],
            "extra": {"db": 0},
        },
        "docrag_prometheus": http(settings.prometheus_port),
        "docrag_alertmanager": http(settings.alertmanager_port),
        "docrag_api": {
            **http(settings.api_port),
            "extra": {
                "connect_to": {tls.ENDPOINT: f"{LOCALHOST}:{settings.tls_port}"},
                "verify": str(tls.folder(settings) / "ca.crt"),
            },
        },
        "docrag_qdrant": http(settings.qdrant_port),
        "docrag_backups": {"conn_type": "fs", "extra": {"path": str(settings.backups_dir)}},
        "docrag_archive": {"conn_type": "fs", "extra": {"path": str(settings.archive_dir)}},
        "docrag_alarm": {
            "conn_type": "apprise",
            "extra": {"config": {"path": f"json://{LOCALHOST}:{settings.alarm_port}/alarm", "tag": "alarm"}},
        },
    }


def exec_environment(settings: Settings) -> dict[str, dict[str, str]]:
    """Workload → environment of commands run in its pods, so that `psql -U docrag` just works there."""
    known = passwords(settings)
    postgres = {"PGHOST": LOCALHOST, "PGPORT": str(settings.postgres_port), "PGPASSWORD": known["docrag"]}
    return {
        "postgres": postgres,
        "redis": {"REDISCLI_AUTH": known["redis"]},
        "api": {**postgres, "PGUSER": "docrag", "PGDATABASE": "docrag"},
    }


def write(settings: Settings) -> None:
    """connections.json, exec-env.json, the pods' own commands, and the folder that rows are exported to."""
    settings.archive_dir.mkdir(mode=0o700, exist_ok=True)
    write_private(settings.state_dir / "connections.json", json.dumps(connections(settings), indent=2))
    write_private(settings.state_dir / "exec-env.json", json.dumps(exec_environment(settings), indent=2))
    _write_command(settings, "redis", "redis-cli", f"-h {LOCALHOST} -p {settings.redis_port}")


def _write_command(settings: Settings, workload: str, name: str, options: str) -> None:
    """A command of this name in the pod that is the machine's own with `options` before what is asked."""
    folder = settings.state_dir / "bin" / workload
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = folder / name
    command.write_text(f'#!/bin/sh\nexec {program(name)} {options} "$@"\n')
    command.chmod(0o755)
