"""Only processes that are ours are found, and only those are ever signalled."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox import processes
from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import Settings
from tests.sandbox.small_sandbox import small_settings

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = small_settings(tmp_path)
    yield settings
    for name in processes.recorded(settings):
        processes.stop(settings, name)


def test_a_started_process_is_alive_until_it_is_stopped(settings: Settings):
    processes.start(settings, "sleeper", SLEEP)
    assert processes.alive(settings, "sleeper")
    assert processes.stop(settings, "sleeper")
    assert not processes.alive(settings, "sleeper")


def test_starting_twice_starts_once(settings: Settings):
    first = processes.start(settings, "sleeper", SLEEP)
    assert processes.start(settings, "sleeper", SLEEP) == first


def test_a_stranger_with_a_remembered_pid_is_left_alone(settings: Settings):
    record = processes.start(settings, "sleeper", SLEEP)
    processes.stop(settings, "sleeper")
    with subprocess.Popen(SLEEP) as stranger:
        path = settings.run_dir / "sleeper.json"
        path.write_text(json.dumps({**vars(record), "pid": stranger.pid, "start_time": 1}))
        assert not processes.stop(settings, "sleeper")
        assert stranger.poll() is None
        stranger.kill()


def test_a_record_cut_short_counts_as_none(settings: Settings):
    settings.run_dir.mkdir(parents=True)
    (settings.run_dir / "sleeper.json").write_text('{"name": "slee')
    assert not processes.alive(settings, "sleeper")


def test_a_process_without_a_record_is_found(settings: Settings):
    record = processes.start(settings, "sleeper", SLEEP)
    (settings.run_dir / "sleeper.json").unlink()
    assert list(processes.leftovers(settings)) == [("sleeper", record.pid, record.start_time)]
    processes.end(record.pid, record.start_time)


def test_one_that_ends_at_once_shows_its_log(settings: Settings):
    with pytest.raises(SandboxError, match=r"(?s)broken ended right after its start.*no such luck"):
        processes.start(settings, "broken", ["/bin/sh", "-c", "echo no such luck"], ready=lambda: False)


def test_one_that_does_not_get_ready_is_stopped_again(settings: Settings):
    with pytest.raises(SandboxError, match="was not ready within 0 s"):
        processes.start(settings, "sleeper", SLEEP, ready=lambda: False, timeout_seconds=0.2)
    assert not processes.alive(settings, "sleeper")
