"""Ports, folders and sizes of the sandbox. Every one can be set in the environment."""

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from tests.sandbox.errors import SandboxError

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = Path(__file__).resolve().parent
ROOT_OWNED_DATA = Path("/var/lib/docrag-sandbox")


@dataclasses.dataclass(frozen=True)
class Settings:
    """One sandbox. A field `redis_port` is set by the variable `SANDBOX_REDIS_PORT`, and so on."""

    state_dir: Path = REPOSITORY / ".sandbox"
    postgres_port: int = 15432
    scratch_port: int = 15433
    airflow_db_port: int = 15434
    redis_port: int = 16379
    prometheus_port: int = 19090
    alertmanager_port: int = 19093
    api_port: int = 18000
    kubernetes_port: int = 16443
    kubernetes_control_port: int = 16444
    qdrant_port: int = 16333
    alarm_port: int = 18025
    tls_port: int = 18443
    airflow_port: int = 8080
    rows: int = 40_000
    """How many documents there are; chunks, sessions and audit rows grow with them (times 4, 1 and 3)."""
    history_days: int = 60
    """How much history Prometheus has before the sandbox was built."""
    history_step_seconds: int = 60

    @property
    def data_dir(self) -> Path:
        """Where the servers keep their files.

        PostgreSQL refuses to run as root, and the user `postgres` cannot enter /root: started by root, the
        data lies outside the repository, in a folder of its own per sandbox.
        """
        if os.geteuid() != 0:
            return self.state_dir / "data"
        return (
            ROOT_OWNED_DATA
            / hashlib.sha1(str(self.state_dir).encode(), usedforsecurity=False).hexdigest()[:10]
        )

    @property
    def run_dir(self) -> Path:
        return self.state_dir / "run"

    @property
    def log_dir(self) -> Path:
        return self.state_dir / "log"

    @property
    def pods_dir(self) -> Path:
        return self.state_dir / "pods"

    @property
    def backups_dir(self) -> Path:
        return self.state_dir / "backups"

    @property
    def archive_dir(self) -> Path:
        """Where rows are exported to before they are deleted."""
        return self.state_dir / "archive"

    def environment(self) -> dict[str, str]:
        """These settings as variables, for the sandbox's own child processes."""
        variables = {
            variable(field.name): str(getattr(self, field.name)) for field in dataclasses.fields(self)
        }
        variables["SANDBOX_DIR"] = variables.pop(variable("state_dir"))
        return variables


def variable(field: str) -> str:
    """The environment variable of a setting.

    >>> variable("redis_port")
    'SANDBOX_REDIS_PORT'
    """
    return f"SANDBOX_{field.upper()}"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in `environ` (this process's by default)."""
    given = os.environ if environ is None else environ
    values: dict[str, object] = {}
    for field in dataclasses.fields(Settings):
        text = given.get(variable(field.name), "")
        if field.name != "state_dir" and text:
            values[field.name] = _number(field.name, text)
    if given.get("SANDBOX_DIR"):
        values["state_dir"] = Path(given["SANDBOX_DIR"]).resolve()
    return Settings(**values)  # type: ignore[arg-type]


def _number(field: str, text: str) -> int:
    highest = 65535 if field.endswith("_port") else 100_000_000
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= highest):
        what = "a port from 1 to 65535" if field.endswith("_port") else "a whole number above 0"
        default = getattr(Settings, field)
        raise SandboxError(
            f"{variable(field)} is {text!r}; expected {what}, e.g. {variable(field)}={default}"
        )
    return int(text)
