"""batch_delete: rows a second that leave in batches, pauses not counted, against one big DELETE of the same rows."""

import statistics
import time

import psycopg

from tests.bench.database_care import fresh_copy, server_and_process
from tests.bench.figures import Figure

NAME, GOAL = "batch_delete", 0.5
ROUNDS = 3
BIG = "DELETE FROM audit_logs WHERE created_at < now() - interval '90 days'"


def measure() -> Figure:
    ours, theirs, pauses, rows = [], [], [], 0
    settings, ask = server_and_process()
    for _ in range(ROUNDS):
        with fresh_copy(settings) as where, psycopg.connect(**where, autocommit=True) as connection:
            began = time.perf_counter()
            deleted = connection.execute(BIG).rowcount
            theirs.append(deleted / (time.perf_counter() - began))
        with fresh_copy(settings):
            done = ask({"do": "delete"})
        rows = int(done["rows"])
        if abs(rows - deleted) > deleted / 1000:
            raise RuntimeError(f"{rows} rows left in batches, {deleted} at once; nothing to compare")
        ours.append(rows / done["work_seconds"])
        pauses.append(done["paused_seconds"])
    details = {
        "ours_rows_per_second": round(statistics.median(ours)),
        "theirs_rows_per_second": round(statistics.median(theirs)),
        "rows": rows,
        "pauses_seconds": round(statistics.median(pauses), 1),
        "rounds": ROUNDS,
    }
    ratio = round(statistics.median(ours) / statistics.median(theirs), 3)
    return Figure(name=NAME, ratio=ratio, goal=GOAL, details=details, more_is_better=True)
