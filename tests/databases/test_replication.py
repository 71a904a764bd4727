"""Replication lag on a real primary and a real standby."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from docrag_ops.core.changes import StepOutcome
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators.change_kinds.database_maintenance import Change
from tests.asking import asking_for
from tests.databases.maintenance import World
from tests.sandbox import processes
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import MAINTAINED, SYSTEM_USER, superuser
from tests.sandbox.programs import postgres_program
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
QUERY = "postgres/replication_lag.sql"


@pytest.fixture(scope="module")
def standby(servers: Settings) -> Iterator[int]:
    """A standby of the server under maintenance, on a port that no other part of these tests uses."""
    folder, port = servers.data_dir / "standby", servers.redis_port
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, SYSTEM_USER, SYSTEM_USER)
    primary = f"host=127.0.0.1 port={servers.postgres_port} user=postgres application_name='stand by \"1\"'"
    environment = {**os.environ, "PGPASSWORD": passwords(servers)["postgres"]}
    copy = [
        postgres_program("pg_basebackup"),
        "-D",
        str(folder),
        "-d",
        primary,
        "-R",
        "-X",
        "stream",
        "-c",
        "fast",
    ]
    subprocess.run(copy, env=environment, check=True, cwd=folder, **_as_postgres())
    (folder / "sandbox.conf").write_text(
        (folder / "sandbox.conf").read_text() + f"port = {port}\nwal_receiver_status_interval = 1s\n"
    )
    argv = [postgres_program("postgres"), "-D", str(folder)]
    try:
        processes.start(
            servers, "standby", argv, port=port, user=SYSTEM_USER, cwd=folder, ready=lambda: _answers(port)
        )
        yield port
    finally:
        processes.stop(servers, "standby", how=signal.SIGINT, patience_seconds=20)


def _as_postgres() -> dict[str, Any]:
    return {"user": SYSTEM_USER, "group": SYSTEM_USER, "extra_groups": []} if os.geteuid() == 0 else {}


def _answers(port: int) -> bool:
    ready = [postgres_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(ready, check=False).returncode == 0


def lag() -> list[dict[str, Any]]:
    with DatabaseHook().session() as session:
        return session.rows(IncludeFolder().query("sql", QUERY), {}, name=QUERY)


def is_close() -> bool:
    return [row["value"] is not None and row["value"] < 5 for row in lag()] == [True]


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, lag()
        time.sleep(0.1)


def on_standby(servers: Settings, port: int, statement: str) -> None:
    where = {
        "host": "127.0.0.1",
        "port": port,
        "user": "postgres",
        "password": passwords(servers)["postgres"],
    }
    with psycopg.connect(**where, dbname="postgres", autocommit=True) as connection:
        connection.execute(statement.encode())


def write(servers: Settings, megabytes: int) -> None:
    with superuser(servers, MAINTAINED) as connection:
        for _ in range(megabytes):
            connection.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 1024 * 1024))")
        connection.execute("SELECT pg_switch_wal()")


def test_standby_that_has_everything_is_close(standby: int, connect_to: Callable[..., None]):
    wait_for(is_close)
    assert [(row["subject"], row["state"], row["problem"]) for row in lag()] == [
        ('stand by "1" 127.0.0.1', "streaming", None)
    ]


def test_standby_that_stopped_replaying_is_behind_or_cannot_tell(
    standby: int, connect_to: Callable[..., None], servers: Settings
):
    wait_for(is_close)
    on_standby(servers, standby, "SELECT pg_wal_replay_pause()")
    try:
        write(servers, megabytes=20)
        wait_for(lambda: lag()[0]["problem"] is not None or lag()[0]["value"] >= 1)
        assert lag()[0]["behind"].endswith("MB")
    finally:
        on_standby(servers, standby, "SELECT pg_wal_replay_resume()")


def test_deletes_stop_while_the_standby_does_not_replay_and_go_on_when_it_does(
    standby: int, world: World, servers: Settings
):
    """Waited for longer than patience, the rest stays for the next run; it is not deleted behind the replica's back."""
    wait_for(is_close)
    world.policy["pace"] |= {"rows": 300, "lag_seconds": 1, "patience_seconds": 1}
    on_standby(servers, standby, "SELECT pg_wal_replay_pause()")
    try:
        write(servers, megabytes=20)
        wait_for(lambda: lag()[0]["problem"] is not None or lag()[0]["value"] > 1)
        record = world.run_tasks("1")
        assert 'the replica stand by "1" 127.0.0.1 is' in record.steps[0].what
        assert "rows deleted in 1 batches" in record.steps[0].what
        assert 2_400 < world.rows() < 3_000
    finally:
        on_standby(servers, standby, "SELECT pg_wal_replay_resume()")
    wait_for(is_close)
    assert {step.outcome for step in world.run_tasks("2").steps} == {StepOutcome.DONE}
    assert world.rows() == 720


def test_deletes_wait_for_a_standby_that_catches_up(standby: int, world: World, servers: Settings):
    wait_for(is_close)
    world.policy["pace"] |= {"rows": 300, "lag_seconds": 1, "patience_seconds": 60}
    on_standby(servers, standby, "SELECT pg_wal_replay_pause()")
    write(servers, megabytes=20)
    wait_for(lambda: lag()[0]["problem"] is not None or lag()[0]["value"] > 1)

    def resume_after_the_first_batch() -> None:
        wait_for(lambda: world.rows() < 3_000)
        time.sleep(2)
        on_standby(servers, standby, "SELECT pg_wal_replay_resume()")

    resume = threading.Thread(target=resume_after_the_first_batch)
    resume.start()
    _, said = world.run()
    resume.join()
    paused = re.search(r"(\d+\.\d) s of pauses not counted", said[0])
    assert paused
    assert float(paused[1]) > 1
    assert world.rows() == 720


def test_standby_says_itself_that_it_has_everything(
    standby: int, connect_to: Callable[..., None], servers: Settings
):
    connect_to("docrag", port=standby)
    wait_for(is_close)
    assert lag()[0]["state"] == "replica, receiver streaming"


def test_standby_that_lost_its_primary_is_behind(
    standby: int, connect_to: Callable[..., None], servers: Settings
):
    with superuser(servers, MAINTAINED, "docrag") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS public.beat AS SELECT now()")
    on_standby(servers, standby, "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'")
    on_standby(servers, standby, "SELECT pg_reload_conf()")
    connect_to("docrag", port=standby)
    wait_for(lambda: lag()[0]["state"] == "replica, connected to no server")
    wait_for(lambda: (lag()[0]["value"] or 0) > 0)


def test_standby_given_by_mistake_is_not_maintained(standby: int, connect_to: Callable[..., None]):
    connect_to("docrag", port=standby)
    with pytest.raises(CouldNotMeasureError, match="is a replica, which only replays; expected the primary"):
        Change(asking_for("1")).plan()
