"""Readers and writers at work on a database, and the longest that any of their statements took.

`at_work` starts them in a process of their own; started as `python -m tests.bench.database_load ADDRESS` it is that
process. One session per statement: one that is kept waiting must not hide what the next would have waited.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

EVERY_SECONDS = 0.005
READS = {
    "documents": "SELECT title FROM documents WHERE id = 1 + (random() * 100000)::bigint",
    "vectors": "SELECT chunk FROM vectors WHERE document_id = 1 + (random() * 100000)::bigint AND chunk_no = 1",
    "user_sessions": "SELECT user_id FROM user_sessions WHERE token = md5((1 + (random() * 100000)::int)::text)::uuid",
    "audit_logs": "SELECT actor FROM audit_logs WHERE id = 300000 + (random() * 100000)::bigint",
}
WRITES = {
    "documents": "UPDATE documents SET updated_at = now() WHERE id = 1 + (random() * 100000)::bigint",
    "vectors": "UPDATE vectors SET model = 'm' WHERE document_id = 1 + (random() * 100000)::bigint AND chunk_no = 1",
    "user_sessions": "UPDATE user_sessions SET last_seen_at = now() "
    "WHERE token = md5((1 + (random() * 100000)::int)::text)::uuid",
    "audit_logs": "INSERT INTO audit_logs (created_at, actor, action, object_type, details) "
    "VALUES (now(), 'bench', 'query', 'document', '{}')",
}


@contextmanager
def at_work(address: dict[str, Any]) -> Iterator[dict[str, float]]:
    """Have them work during the block; afterwards it says `reader_seconds` and `writer_seconds`, the longest."""
    command = [sys.executable, "-m", "tests.bench.database_load", json.dumps(address)]
    found: dict[str, float] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        if child.stdout.readline().strip() != "ready":
            raise RuntimeError("The load could not be started; its error is above")
        try:
            yield found
        finally:
            child.stdin.close()
            found |= json.loads(child.stdout.readline())


def work(address: dict[str, Any], statement: str, end: threading.Event, longest: list[float]) -> None:
    """Run a statement over and over; what it took longest goes into `longest`."""
    with psycopg.connect(**address, autocommit=True) as connection:
        while not end.wait(EVERY_SECONDS):
            began = time.perf_counter()
            connection.execute(statement)
            longest.append(time.perf_counter() - began)


def main(address: dict[str, Any]) -> None:
    end = threading.Event()
    kinds = {"reader_seconds": READS, "writer_seconds": WRITES}
    longest: dict[str, list[float]] = {kind: [] for kind in kinds}
    threads = [
        threading.Thread(target=work, args=(address, statement, end, longest[kind]))
        for kind, statements in kinds.items()
        for statement in statements.values()
    ]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    end.set()
    for thread in threads:
        thread.join()
    statements = sum(map(len, longest.values()))
    print(
        json.dumps({kind: max(times) for kind, times in longest.items()} | {"statements": statements}),
        flush=True,
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
