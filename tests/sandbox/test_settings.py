"""Settings come from the environment, and a bad one says what was expected."""

from pathlib import Path

import pytest

from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import load_settings


def test_a_port_comes_from_its_variable():
    assert load_settings({"SANDBOX_REDIS_PORT": "7001"}).redis_port == 7001


def test_without_variables_the_documented_ports_are_used():
    settings = load_settings({})
    assert (settings.postgres_port, settings.api_port, settings.kubernetes_port) == (15432, 18000, 16443)


def test_the_folder_can_be_moved(tmp_path: Path):
    assert load_settings({"SANDBOX_DIR": str(tmp_path)}).state_dir == tmp_path


def test_children_get_the_same_settings(tmp_path: Path):
    settings = load_settings({"SANDBOX_DIR": str(tmp_path), "SANDBOX_API_PORT": "7002", "SANDBOX_ROWS": "5"})
    assert load_settings(settings.environment()) == settings


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1", "80.5"])
def test_a_bad_port_names_its_variable_and_what_was_expected(text: str):
    with pytest.raises(SandboxError, match=r"SANDBOX_API_PORT is .*expected a port from 1 to 65535, e\.g\. "):
        load_settings({"SANDBOX_API_PORT": text})


def test_two_sandboxes_keep_their_data_apart(tmp_path: Path):
    one, other = (load_settings({"SANDBOX_DIR": str(tmp_path / name)}) for name in ("one", "other"))
    assert one.data_dir != other.data_dir
