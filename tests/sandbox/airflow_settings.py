"""How Airflow is set up in the sandbox: by variables only, so that there is no file to drift."""

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.sandbox.passwords import passwords, write_private
from tests.sandbox.settings import REPOSITORY, Settings

ADDRESS = "127.0.0.1"
USERS = {"admin": "admin", "op": "op", "viewer": "viewer"}
"""User → role of the SimpleAuthManager: may do all; may trigger, clear and approve; may look."""


def home(settings: Settings) -> Path:
    return settings.state_dir / "airflow"


def base_url(settings: Settings) -> str:
    return f"http://{ADDRESS}:{settings.airflow_port}"


def environment(
    settings: Settings, *, dags_folder: Path = REPOSITORY / "dags", more_dags: Path | None = None
) -> dict[str, str]:
    """The variables of every Airflow process. `more_dags` is a second folder of DAG files, looked into every 2 s."""
    known, keys = passwords(settings), _keys(settings)
    users = ",".join(f"{user}:{role}" for user, role in USERS.items())
    database = f"airflow:{known['airflow']}@{ADDRESS}:{settings.airflow_db_port}/airflow"
    return {
        "AIRFLOW_HOME": str(home(settings)),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",  # workers forked at the start; the default 32 takes 5.8 GB
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base_url(settings)}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users,
        "AIRFLOW__API__HOST": ADDRESS,
        "AIRFLOW__API__PORT": str(settings.airflow_port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": base_url(settings),
        "AIRFLOW__API__SECRET_KEY": keys["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
        # A worker that reads a task's last word before the process has ended sleeps for so long: 5 s by default.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",  # 1 s by default, paid once per task in a row
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(_bundles(more_dags)),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "20",  # a new file is found in 20 s instead of 300
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONDONTWRITEBYTECODE": "",  # where it is set, every task would compile our code again
        "NO_PROXY": ADDRESS,
        "no_proxy": ADDRESS,
    }


def link_configuration(settings: Settings) -> None:
    """Airflow imports `airflow_local_settings` from the folder `config` of its home."""
    link = home(settings) / "config"
    link.unlink(missing_ok=True)
    link.symlink_to(REPOSITORY / "config")


def _bundles(more_dags: Path | None) -> list[dict[str, Any]]:
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles: list[dict[str, Any]] = [{"name": "dags-folder", "classpath": local, "kwargs": {}}]
    if more_dags:
        kwargs = {"path": str(more_dags), "refresh_interval": 2}
        bundles.append({"name": "more-dags", "classpath": local, "kwargs": kwargs})
    return bundles


def user_passwords(settings: Settings) -> dict[str, str]:
    """User → password, as the API server generated them at its first start."""
    path = home(settings) / "simple_auth_manager_passwords.json.generated"
    generated: dict[str, str] = json.loads(path.read_text())
    return generated


def _keys(settings: Settings) -> dict[str, str]:
    """Keys the Airflow processes share, made once."""
    path = home(settings) / "keys.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {
            "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "jwt": secrets.token_hex(64),
            "api": secrets.token_hex(32),
        }
        write_private(path, json.dumps(made, indent=2))
    keys: dict[str, str] = json.loads(path.read_text())
    return keys


def connection_variable(connection: Mapping[str, Any]) -> str:
    """A Connection of .sandbox/connections.json as the value of an AIRFLOW_CONN_* variable."""
    return json.dumps(dict(connection))
