"""A sandbox for its own tests: few rows, little history, free ports, a folder of its own."""

import dataclasses
import os
import socket
from contextlib import ExitStack
from pathlib import Path

from tests.sandbox import ports, processes
from tests.sandbox.settings import Settings

ROWS = 400
HISTORY_DAYS = 1


def small_settings(folder: Path) -> Settings:
    names = [field.name for field in dataclasses.fields(Settings) if field.name.endswith("_port")]
    with ExitStack() as stack:  # all open at once, so that no port is given twice
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        chosen = {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
    return Settings(state_dir=folder / "sandbox", rows=ROWS, history_days=HISTORY_DAYS, **chosen)


def command_environment(settings: Settings) -> dict[str, str]:
    """For `python -m tests.sandbox` as a process of its own."""
    return {**os.environ, **settings.environment()}


def what_is_left(settings: Settings) -> dict[str, list[str]]:
    """Processes, listening ports and mounts of this sandbox."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    numbers = {getattr(settings, f.name) for f in dataclasses.fields(Settings) if f.name.endswith("_port")}
    sockets = [*settings.state_dir.rglob("*"), *settings.data_dir.rglob("*")]
    return {
        "processes": [name for name, _, _ in processes.leftovers(settings)] + processes.recorded(settings),
        "ports": [str(port) for port in sorted(ports.listening_ports() & numbers)],
        "mounts": [line.split()[4] for line in mounts if str(settings.state_dir) in line],
        "sockets": [str(path) for path in sockets if path.is_socket()],
    }


NOTHING: dict[str, list[str]] = {"processes": [], "ports": [], "mounts": [], "sockets": []}
