"""docker-compose.yaml is not started in the tests, as Docker cannot be had everywhere: it is held to its
schema, and to what an operator relies on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yaml"
AIRFLOW_SERVICES = ["airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-worker"]
AIRFLOW_SERVICES += ["airflow-triggerer", "airflow-init"]


@pytest.fixture(scope="module")
def services() -> dict:
    return yaml.safe_load(COMPOSE.read_text())["services"]


def test_compose_file_follows_the_compose_schema():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    result = subprocess.run([*check, str(COMPOSE)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_secret_has_a_default():
    for name, rest in re.findall(r"\$\{(\w*(?:PASSWORD|KEY|SECRET)\w*)([^}]*)\}", COMPOSE.read_text()):
        assert rest.startswith(":?"), f"{name} must be required: ${{{name}:?why}}"


def test_every_password_comes_from_the_environment():
    for line in COMPOSE.read_text().splitlines():
        if re.match(r"\s+\w*PASSWORD:", line):
            assert "${" in line, line


@pytest.mark.parametrize("name", AIRFLOW_SERVICES)
def test_code_and_data_are_mounted_read_only(services, name):
    assert {f"./{part}:/opt/airflow/{part}:ro" for part in ("dags", "plugins", "include", "config")} <= set(
        services[name]["volumes"]
    )


def test_every_lasting_service_has_a_health_check(services):
    once = {"airflow-init", "airflow-cli"}
    assert [name for name in services if name not in once and "healthcheck" not in services[name]] == []


def test_init_makes_the_pools_and_the_history(services):
    script = services["airflow-init"]["command"][-1]
    assert "airflow pools import /opt/airflow/include/airflow/pools.json" in script
    assert "python -m docrag_ops.migrate upgrade" in script


def test_nothing_but_the_ui_is_published_and_that_locally(services):
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"airflow-apiserver": ["127.0.0.1:${AIRFLOW_PORT:-8080}:8080"]}


def test_image_is_the_airflow_of_the_lock():
    version = re.search(r"^apache-airflow==(\S+)$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)[1]
    assert f"FROM apache/airflow:{version}\n" in (ROOT / "Dockerfile").read_text()
