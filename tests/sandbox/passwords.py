"""The sandbox's passwords: made once, kept in `.sandbox/secrets.json`, readable by its owner only."""

import json
import os
import secrets

from tests.sandbox.settings import Settings

NAMES = (
    "postgres",  # superuser of the server under maintenance
    "docrag",
    "docrag_monitor",
    "docrag_maintenance",
    "scratch",  # superuser of the scratch server
    "airflow_db",  # superuser of Airflow's own server
    "airflow",
    "docrag_history",
    "redis",
    "control",  # opens the fault switches of the API and of the Qdrant stand-in
)


def passwords(settings: Settings) -> dict[str, str]:
    """Name → password; those that are missing are made."""
    path = settings.state_dir / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in NAMES if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(18) for name in missing}
        write_private(path, json.dumps(known, indent=2))
    return known


def write_private(path: os.PathLike[str], text: str) -> None:
    """Write a whole file or none, never readable by others."""
    partial = f"{os.fspath(path)}.partial"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(partial, path)
