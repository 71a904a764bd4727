"""`up`, `down` and `status`: the whole sandbox, in order."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.sandbox import connections, ports, processes, storage
from tests.sandbox.errors import SandboxError
from tests.sandbox.faults import holders, registry
from tests.sandbox.parts import PARTS, Part
from tests.sandbox.settings import Settings

Say = Callable[[str], None]


def up(settings: Settings, say: Say = print) -> None:
    """Start what does not run, on top of whatever an earlier `up` left, and put right what faults broke.

    Raises SandboxError with every failure.
    """
    began = time.monotonic()
    prepare_folders(settings)
    with lock(settings):
        end_leftovers(settings)
        holders.stop_all(settings)
        registry.turn_cluster_faults_off(settings)
        missing = [part for part in PARTS if not processes.alive(settings, part.name)]
        ports.check_ports_are_free({k: v for part in missing for k, v in part.ports(settings).items()})
        connections.write(settings)
        start_all(settings, say)
        failures = registry.turn_all_off(settings)
    if failures:
        raise SandboxError("\n".join(failures))
    seconds = time.monotonic() - began
    say(f"The sandbox is up ({seconds:.1f} s); connections: {settings.state_dir}/connections.json")


def down(settings: Settings, say: Say = print, *, with_data: bool = False) -> None:
    """Stop everything `up` started; the data that was built stays unless `with_data`."""
    if not settings.state_dir.exists():
        say("Nothing to stop: there is no sandbox here")
        return
    prepare_folders(settings)
    with lock(settings):
        for failure in registry.turn_all_off(settings, before_down=True):
            say(failure)
        holders.stop_all(settings)
        _stop_all(settings)
        end_leftovers(settings)
        if with_data:
            storage.remove_folders(settings)
    say("The sandbox is down" + (" and its data removed" if with_data else ""))


def status(settings: Settings) -> list[tuple[str, str, str, str, str]]:
    """A row per part: name, port, pid, up or down, since."""
    return [_row(settings, part) for part in PARTS if part.is_process]


def start_all(settings: Settings, say: Say) -> None:
    """Start the parts side by side, each as soon as those it needs are there.

    A part that runs is asked too: its process may be there without what `up` was still to put into it.
    """
    starting: dict[str, Future[None]] = {}

    def start_one(part: Part) -> None:
        for need in part.needs:
            starting[need].result()
        ran, began = processes.alive(settings, part.name), time.monotonic()
        part.start(settings)
        if part.is_process and not ran:
            say(f"  {part.name:<14} up ({time.monotonic() - began:.1f} s)")

    with ThreadPoolExecutor(max_workers=len(PARTS)) as pool:
        for part in PARTS:
            starting[part.name] = pool.submit(start_one, part)
    _raise_failures(starting.values())


def end_leftovers(settings: Settings) -> None:
    """End processes of ours that have no record, such as those of an `up` that was killed."""
    for name, pid, began in list(processes.leftovers(settings)):
        if not name.startswith("airflow"):  # Airflow's own start and stop look after it
            processes.end(pid, began)


def prepare_folders(settings: Settings) -> None:
    discard_orphaned_data(settings)
    for folder in (settings.state_dir, settings.run_dir, settings.log_dir, settings.data_dir):
        folder.mkdir(parents=True, exist_ok=True)
    link = settings.state_dir / "data"
    if settings.data_dir != link:
        link.unlink(missing_ok=True)
        link.symlink_to(settings.data_dir)


def discard_orphaned_data(settings: Settings) -> None:
    """Remove data whose sandbox folder is gone (a clone that was removed): nobody has its passwords any more.

    As root the data lies outside the repository, in a folder named after the sandbox folder's path.
    """
    outside = settings.data_dir != settings.state_dir / "data"
    if not outside or not settings.data_dir.exists() or (settings.state_dir / "secrets.json").exists():
        return
    for postmaster in settings.data_dir.glob("*/postmaster.pid"):
        pid = int(postmaster.read_text().split("\n", 1)[0])
        if Path(f"/proc/{pid}/cwd").exists() and Path(f"/proc/{pid}/cwd").resolve() == postmaster.parent:
            raise SandboxError(
                f"{settings.data_dir} is in use by pid {pid}, a server of a sandbox whose folder "
                f"{settings.state_dir} was removed while it ran; stop that process first"
            )
    shutil.rmtree(settings.data_dir)


@contextmanager
def lock(settings: Settings) -> Iterator[None]:
    """One `up`, `down` or `fault` at a time."""
    descriptor = os.open(settings.state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _row(settings: Settings, part: Part) -> tuple[str, str, str, str, str]:
    port = ", ".join(map(str, part.ports(settings).values())) or "-"
    record = processes.find(settings, part.name)
    if record is None:
        return part.name, port, "-", "down", "-"
    since = f"{datetime.fromtimestamp(record.started_at, UTC):%Y-%m-%d %H:%M:%S}Z"
    return part.name, port, str(record.pid), "up", since


def _stop_all(settings: Settings) -> None:
    with ThreadPoolExecutor(max_workers=len(PARTS)) as pool:
        stopping = [pool.submit(part.stop, settings) for part in reversed(PARTS)]
    _raise_failures(stopping)


def _raise_failures(futures: Iterable[Future[Any]]) -> None:
    failures = {str(error) for future in futures if (error := future.exception())}
    if failures:
        raise SandboxError("\n".join(sorted(failures)))
