"""The tests' own sandbox: beside that of `make demo`, with a folder and ports of its own, so that both can run."""

import dataclasses
import os

from tests.sandbox.settings import REPOSITORY, Settings, load_settings

OFFSET_VARIABLE = "SANDBOX_TEST_PORT_OFFSET"
DEFAULT_OFFSET = 10_000


def settings_for_tests() -> Settings:
    """Settings as given in the environment, with the folder `.sandbox-test` and every port moved up."""
    given = load_settings()
    offset = int(os.environ.get(OFFSET_VARIABLE, DEFAULT_OFFSET))
    ports = {
        field.name: getattr(given, field.name) + offset
        for field in dataclasses.fields(Settings)
        if field.name.endswith("_port")
    }
    return dataclasses.replace(given, state_dir=REPOSITORY / ".sandbox-test", **ports)
