"""The sandbox's processes: started in sessions of their own, remembered in `.sandbox/run/NAME.json`.

A process is known by its pid *and* its start time, so that a pid that was used again by a stranger is never
signalled. Every child also carries the sandbox's folder and its own name in its environment: what an `up`
that was killed left behind is found by that, even when it had no time to write its record.
"""

import dataclasses
import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.sandbox.errors import SandboxError
from tests.sandbox.proc import descends_from, start_time
from tests.sandbox.settings import REPOSITORY, Settings

OWNER_VARIABLE = "DOCRAG_SANDBOX_STATE"
NAME_VARIABLE = "DOCRAG_SANDBOX_PROCESS"
_children: list[subprocess.Popen[bytes]] = []  # kept so that what this very process started can be reaped


@dataclasses.dataclass(frozen=True)
class Record:
    """A process as it was started."""

    name: str
    pid: int
    start_time: int
    """Clock ticks since boot, field 22 of /proc/PID/stat."""
    started_at: float
    argv: list[str]
    port: int | None
    log: str


def start(
    settings: Settings,
    name: str,
    argv: Sequence[str],
    *,
    port: int | None = None,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    cwd: Path | None = None,
    ready: Callable[[], bool] | None = None,
    timeout_seconds: float = 120,
) -> Record:
    """Start `argv` unless it runs already, and wait until `ready()`. One that runs and never answers is replaced.

    `user` applies when we are root. Raises SandboxError with the end of the log when the process ends or is
    not ready in time; one that is not ready in time is stopped again.
    """
    running = find(settings, name)
    if running and _becomes_ready(running, ready, timeout_seconds):
        return running
    if running:
        stop(settings, name)
    log = settings.log_dir / f"{name}.log"
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd or REPOSITORY,
            env=_environment(settings, name, env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **_identity(user),
        )
    _children.append(child)
    began = start_time(child.pid)
    record = Record(name, child.pid, began or 0, time.time(), list(argv), port, str(log))
    _write(settings, record)
    if not _becomes_ready(record, ready, timeout_seconds):
        is_slow = stop(settings, name)
        what = f"was not ready within {timeout_seconds:.0f} s" if is_slow else "ended right after its start"
        raise SandboxError(f"{name} {what}; the end of {log}:\n{tail(log)}")
    return record


def run(
    settings: Settings,
    name: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    cwd: Path | None = None,
    timeout_seconds: float = 120,
) -> None:
    """Run a helper to its end; raises SandboxError with what it said. It is known as ours while it runs."""
    done = subprocess.run(
        list(argv),
        cwd=cwd or REPOSITORY,
        env=_environment(settings, name, env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_seconds,
        **_identity(user),
    )
    if done.returncode:
        said = f"{done.stdout}{done.stderr}".strip()
        raise SandboxError(f"{name} failed ({argv[0]}, exit code {done.returncode}):\n{said}")


def stop(
    settings: Settings, name: str, *, how: signal.Signals = signal.SIGTERM, patience_seconds: float = 30
) -> bool:
    """Stop a process and what is left of its session; returns whether it ran."""
    record = read(settings, name)
    running = record is not None and is_running(record.pid, record.start_time)
    if record is not None and running:
        end(record.pid, record.start_time, how=how, patience_seconds=patience_seconds)
    _path(settings, name).unlink(missing_ok=True)
    return running


def end(pid: int, began: int, *, how: signal.Signals = signal.SIGTERM, patience_seconds: float = 10) -> None:
    """Ask one process to end, then, when it does not, kill it with its process group."""
    for sent, patience in ((how, patience_seconds), (signal.SIGKILL, 5.0)):
        if not is_running(pid, began):
            break
        try:
            os.kill(pid, sent)
            if sent is signal.SIGKILL and os.getpgid(pid) == pid:
                os.killpg(pid, sent)
        except ProcessLookupError:
            break
        wait_until(lambda: not is_running(pid, began), patience)
    if is_running(pid, began):
        raise SandboxError(
            f"Process {pid} did not end within {patience_seconds:.0f} s, even when it was killed"
        )


def find(settings: Settings, name: str) -> Record | None:
    """The running process of this name, or None."""
    record = read(settings, name)
    if record is not None and is_running(record.pid, record.start_time):
        return record
    return None


def alive(settings: Settings, name: str) -> bool:
    return find(settings, name) is not None


def read(settings: Settings, name: str) -> Record | None:
    """The record of this name, whether it still runs or not; None also for one that was cut short."""
    try:
        return Record(**json.loads(_path(settings, name).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def recorded(settings: Settings) -> list[str]:
    return sorted(path.stem for path in settings.run_dir.glob("*.json"))


def leftovers(settings: Settings) -> Iterator[tuple[str, int, int]]:
    """(name, pid, start time) of processes that this sandbox started and has no record of."""
    known = {record.pid for name in recorded(settings) if (record := find(settings, name))}
    mark = f"{OWNER_VARIABLE}={settings.state_dir}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        if pid in known or pid == os.getpid():
            continue
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # gone in the meantime, or another user's
            continue
        began = start_time(pid)
        if mark in variables and began is not None and not descends_from(pid, known):
            names = [
                v.partition(b"=")[2].decode()
                for v in variables
                if v.startswith(NAME_VARIABLE.encode() + b"=")
            ]
            yield (names[0] if names else "?"), pid, began


def is_running(pid: int, began: int) -> bool:
    for child in _children:
        if child.pid == pid:
            child.poll()
    return start_time(pid) == began


def wait_until(true: Callable[[], bool], timeout_seconds: float, *, pause_seconds: float = 0.05) -> bool:
    deadline = time.monotonic() + timeout_seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_seconds)
    return True


def tail(path: Path, lines: int = 15) -> str:
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"


def _becomes_ready(record: Record, ready: Callable[[], bool] | None, timeout_seconds: float) -> bool:
    """False when it ended, or did not get ready in time."""
    if ready is None:
        return True
    deadline = time.monotonic() + timeout_seconds
    while is_running(record.pid, record.start_time):
        if ready():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return False


def _environment(settings: Settings, name: str, more: Mapping[str, str] | None) -> dict[str, str]:
    mark = {OWNER_VARIABLE: str(settings.state_dir), NAME_VARIABLE: name}
    return {**os.environ, **settings.environment(), **(more or {}), **mark}


def _identity(user: str | None) -> dict[str, Any]:
    if user is None or os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _path(settings: Settings, name: str) -> Path:
    return settings.run_dir / f"{name}.json"


def _write(settings: Settings, record: Record) -> None:
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    partial = _path(settings, record.name).with_suffix(".partial")
    partial.write_text(json.dumps(dataclasses.asdict(record)))
    partial.rename(_path(settings, record.name))
