"""`python -m tests.sandbox.faults.holders NAME`: hold something open until told to stop.

When the process ends, the server undoes it all: sessions end, transactions roll back.
"""

import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import psycopg

from tests.sandbox import postgres_servers, processes
from tests.sandbox.passwords import passwords
from tests.sandbox.settings import Settings, load_settings

BLOCKED_SESSIONS = 7
IDLE_TRANSACTIONS = 10
LOCK_ONE_ROW = (
    "UPDATE user_sessions SET ip = ip WHERE id = (SELECT id FROM user_sessions ORDER BY id OFFSET %s LIMIT 1)"
)


def exhaust_postgres(settings: Settings, stop: threading.Event) -> None:
    """Idle sessions of the application until the server has no place left, and again when one gets free."""
    held: list[psycopg.Connection[Any]] = []
    while not stop.is_set():
        try:
            held.append(_session(settings, "api"))
        except psycopg.OperationalError:  # too many: as intended
            stop.wait(0.3)


def block_sessions(settings: Settings, stop: threading.Event) -> None:
    """One transaction holds a row's lock, others wait for it."""
    holder = _session(settings, "import-worker")
    holder.execute("BEGIN")
    holder.execute(LOCK_ONE_ROW, [1])
    for _ in range(BLOCKED_SESSIONS):
        waiting = _session(settings, "import-worker")
        threading.Thread(target=waiting.execute, args=(LOCK_ONE_ROW, [1]), daemon=True).start()
    stop.wait()


def idle_in_transaction(settings: Settings, stop: threading.Event) -> None:
    """Transactions that changed something and were then forgotten."""
    held = [_session(settings, "report-builder") for _ in range(IDLE_TRANSACTIONS)]
    for number, session in enumerate(held):
        session.execute("BEGIN")
        session.execute(LOCK_ONE_ROW, [10 + number])
    stop.wait()


def exhaust_redis(settings: Settings, stop: threading.Event) -> None:
    """Clients that log in and stay, until the server takes no more, and again when one gets free."""
    password = passwords(settings)["redis"].encode()
    held = []
    while not stop.is_set():
        client = socket.create_connection(("127.0.0.1", settings.redis_port), timeout=5)
        try:
            client.sendall(b"AUTH " + password + b"\r\n")
            accepted = client.recv(100).startswith(b"+OK")
        except OSError:  # turned away before it could speak
            accepted = False
        if accepted:
            held.append(client)
        else:
            client.close()
            stop.wait(0.3)


HOLDERS: dict[str, Callable[[Settings, threading.Event], None]] = {
    "postgres_connections_exhausted": exhaust_postgres,
    "postgres_blocked_sessions": block_sessions,
    "postgres_idle_in_transaction": idle_in_transaction,
    "redis_connections_exhausted": exhaust_redis,
}


def start(settings: Settings, name: str) -> None:
    argv = [sys.executable, "-m", "tests.sandbox.faults.holders", name]
    processes.start(settings, process_name(name), argv)


def stop(settings: Settings, name: str) -> None:
    processes.stop(settings, process_name(name), how=signal.SIGKILL)


def process_name(name: str) -> str:
    return f"fault-{name}"


def stop_all(settings: Settings) -> None:
    for name in HOLDERS:
        stop(settings, name)


def _session(settings: Settings, application: str) -> psycopg.Connection[Any]:
    password = passwords(settings)["docrag"]
    where = postgres_servers.address(settings, postgres_servers.MAINTAINED, "docrag", password, "docrag")
    return psycopg.connect(**{**where, "application_name": application}, autocommit=True)


def main() -> None:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    HOLDERS[sys.argv[1]](load_settings(), stopping)


if __name__ == "__main__":
    main()
