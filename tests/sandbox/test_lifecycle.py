"""`up` works on top of anything, and `down` leaves nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.sandbox import connections, lifecycle, postgres_servers, processes, redis_server, storage
from tests.sandbox.errors import SandboxError
from tests.sandbox.parts import PARTS
from tests.sandbox.settings import REPOSITORY, Settings
from tests.sandbox.small_sandbox import NOTHING, command_environment, small_settings, what_is_left

pytestmark = pytest.mark.sandbox


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Settings]:
    settings = small_settings(tmp_path)
    yield settings
    lifecycle.down(settings, with_data=True)
    assert not settings.data_dir.exists()


def pids(settings: Settings) -> dict[str, int]:
    return {
        name: record.pid
        for name in processes.recorded(settings)
        if (record := processes.find(settings, name))
    }


def test_every_part_is_up(small_sandbox: Settings):
    assert {row[0]: row[3] for row in lifecycle.status(small_sandbox)} == {
        part.name: "up" for part in PARTS if part.is_process
    }


def test_up_again_starts_nothing(small_sandbox: Settings):
    before = pids(small_sandbox)
    lifecycle.up(small_sandbox)
    assert pids(small_sandbox) == before


def test_every_database_of_the_connections_can_be_entered(small_sandbox: Settings):
    for name, connection in connections.connections(small_sandbox).items():
        if connection["conn_type"] == "postgres":
            with psycopg.connect(
                host=connection["host"],
                port=connection["port"],
                user=connection["login"],
                password=connection["password"],
                dbname=connection["schema"],
            ) as session:
                assert session.execute("SELECT current_database()").fetchone() == (connection["schema"],), (
                    name
                )


def test_the_monitoring_role_can_read_statistics_and_no_documents(small_sandbox: Settings):
    where = connections.connections(small_sandbox)["docrag_postgres"]
    with psycopg.connect(
        host=where["host"],
        port=where["port"],
        user=where["login"],
        password=where["password"],
        dbname="docrag",
        autocommit=True,
    ) as session:
        assert session.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT 1 FROM documents")


def test_what_was_killed_is_started_again(small_sandbox: Settings):
    before = pids(small_sandbox)
    for name in ("postgres", "redis", "prometheus", "api"):
        os.kill(before[name], signal.SIGKILL)
    lock = postgres_servers.MAINTAINED.folder(small_sandbox) / "postmaster.pid"
    assert lock.exists()
    lifecycle.up(small_sandbox)
    after = pids(small_sandbox)
    assert after.keys() == before.keys()
    assert after["postgres"] != before["postgres"]
    assert after["scratch"] == before["scratch"]


def test_a_foreign_process_on_a_port_is_named_and_nothing_else_is_stopped(small_sandbox: Settings):
    before = pids(small_sandbox)
    redis_server.stop(small_sandbox)
    with (
        socket.create_server(("127.0.0.1", small_sandbox.redis_port)),
        pytest.raises(SandboxError, match=f"port {small_sandbox.redis_port} is in use by pid {os.getpid()}"),
    ):
        lifecycle.up(small_sandbox)
    lifecycle.up(small_sandbox)
    assert pids(small_sandbox) == {**before, "redis": pids(small_sandbox)["redis"]}


def test_secrets_are_readable_by_their_owner_only(small_sandbox: Settings):
    for name in ("secrets.json", "connections.json", "exec-env.json"):
        assert (small_sandbox.state_dir / name).stat().st_mode & 0o077 == 0


def test_no_password_is_in_a_list_of_processes(small_sandbox: Settings):
    secrets = json.loads((small_sandbox.state_dir / "secrets.json").read_text()).values()
    for pid in pids(small_sandbox).values():
        command = Path(f"/proc/{pid}/cmdline").read_text()
        assert not [secret for secret in secrets if secret in command]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_every_api_pod_sees_the_one_limited_volume(small_sandbox: Settings):
    devices = {place.stat().st_dev for place in storage.pod_folders(small_sandbox)}
    assert devices == {storage.folder(small_sandbox).stat().st_dev}
    assert os.statvfs(storage.folder(small_sandbox)).f_files == storage.INODES


@pytest.mark.parametrize("seconds", [0.8, 2.5])
def test_up_works_on_top_of_an_up_that_was_killed(fresh: Settings, seconds: float):
    command = [sys.executable, "-m", "tests.sandbox", "up"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=command_environment(fresh), stdout=subprocess.DEVNULL
    ) as first:
        time.sleep(seconds)
        first.kill()
    lifecycle.up(fresh)
    assert {row[3] for row in lifecycle.status(fresh)} == {"up"}
    running = [name for name, _, _ in processes.leftovers(fresh)]
    assert running == []
    lifecycle.down(fresh)
    assert what_is_left(fresh) == NOTHING


def test_down_without_an_up_says_so(tmp_path: Path):
    said: list[str] = []
    lifecycle.down(small_settings(tmp_path), said.append)
    assert said == ["Nothing to stop: there is no sandbox here"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's data lies outside the sandbox's folder")
def test_data_of_a_sandbox_whose_folder_was_removed_is_discarded(tmp_path: Path):
    settings = small_settings(tmp_path)
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "old").write_text("nobody has its passwords")
    try:
        lifecycle.prepare_folders(settings)
        assert list(settings.data_dir.iterdir()) == []
    finally:
        settings.data_dir.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's data lies outside the sandbox's folder")
def test_data_whose_passwords_are_known_is_kept(tmp_path: Path):
    settings = small_settings(tmp_path)
    settings.state_dir.mkdir(parents=True)
    settings.data_dir.mkdir(parents=True)
    (settings.state_dir / "secrets.json").write_text("{}")
    (settings.data_dir / "kept").touch()
    try:
        lifecycle.prepare_folders(settings)
        assert [path.name for path in settings.data_dir.iterdir()] == ["kept"]
    finally:
        (settings.data_dir / "kept").unlink()
        settings.data_dir.rmdir()
