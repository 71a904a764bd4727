"""The database of the maintenance figures: a server of its own, copies of one filled database, both sides at work.

The guide's side is `psql` with its own SQL; ours is the entry's tasks (plan, approval by policy, apply, proof) in a
warm process, with the policy of docrag-prod but for the export and the volume, which the guide has neither.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from tests.bench.platform import HELD, process_environment
from tests.sandbox import databases, demo, lifecycle
from tests.sandbox.for_tests import quietly
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import MAINTAINED, address, superuser
from tests.sandbox.programs import postgres_program
from tests.sandbox.settings import REPOSITORY, Settings
from tests.sandbox.small_sandbox import small_settings

ROWS = 300_000
"""Documents; with them the guide's REINDEX of their text index keeps a writer waiting for more than five seconds."""
COPY = "bench_copy"
SQL = Path(__file__).with_name("weekly-db-maintenance.sql")
LOCK_TIMEOUT_SECONDS = 2.0
Ask = Callable[[dict[str, Any]], dict[str, Any]]


@contextmanager
def filled_server() -> Iterator[Settings]:
    """A PostgreSQL with the sandbox's tables, and one for the history."""
    with tempfile.TemporaryDirectory(prefix="docrag-bench-") as folder:
        settings = dataclasses.replace(small_settings(Path(folder)), rows=ROWS)
        lifecycle.prepare_folders(settings)
        try:
            databases.start_airflow_db(settings)
            databases.start_maintained(settings)
            demo.migrate_history(settings)
            yield settings
        finally:
            lifecycle.down(settings, quietly, with_data=True)


@cache
def server_and_process() -> tuple[Settings, Ask]:
    """Both, for all figures that need them: filling takes longer than measuring."""
    settings = HELD.enter_context(filled_server())
    return settings, HELD.enter_context(warm_process(settings))


@contextmanager
def fresh_copy(settings: Settings) -> Iterator[dict[str, Any]]:
    """The address of a copy of the filled database; what the copying left to be written is written."""
    with superuser(settings, MAINTAINED) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {COPY} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {COPY} TEMPLATE docrag OWNER docrag STRATEGY file_copy")
        connection.execute("CHECKPOINT")
    yield address(settings, MAINTAINED, "docrag", passwords(settings)["docrag"], COPY)
    with superuser(settings, MAINTAINED) as connection:
        connection.execute(f"DROP DATABASE {COPY} WITH (FORCE)")


def guide(where: dict[str, Any]) -> float:
    """Seconds for the guide's SQL, run as written."""
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
    }
    environment = {**os.environ, **{name: str(where[key]) for name, key in names.items()}}
    began = time.perf_counter()
    command = [postgres_program("psql"), "-X", "-q", "-f", str(SQL)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def afterwards(settings: Settings) -> dict[str, float]:
    """Size of the copy, dead rows, and what its B-trees waste, in MB."""
    with superuser(settings, MAINTAINED, COPY) as connection:
        size, dead, wasted = connection.execute(
            """
            SELECT pg_database_size(current_database()) / 1e6,
                   (SELECT sum(n_dead_tup) FROM pg_stat_user_tables),
                   (SELECT sum(greatest(0, 1 - p.avg_leaf_density / 90) * p.leaf_pages * 8192) / 1e6
                    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam
                    JOIN pg_class AS t ON t.oid = i.indrelid AND t.relnamespace = 'public'::regnamespace,
                    LATERAL pgstatindex(i.indexrelid::regclass) AS p WHERE a.amname = 'btree')
            """
        ).fetchone()
    return {"size_mb": round(size), "dead_rows": int(dead), "index_waste_mb": round(wasted, 1)}


@contextmanager
def warm_process(settings: Settings) -> Iterator[Ask]:
    """A function that has the warm process do something once more; what is in `answer` below."""
    command = [sys.executable, "-m", "tests.bench.database_care"]
    environment = process_environment(settings)
    with subprocess.Popen(
        command, env=environment, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:

        def ask(what: dict[str, Any]) -> dict[str, Any]:
            print(json.dumps(what), file=child.stdin, flush=True)
            for line in child.stdout:
                if line.startswith("{"):
                    return dict(json.loads(line))
            raise RuntimeError("The process that maintains the database ended; its error is above")

        yield ask
        child.stdin.close()


def answer() -> None:
    """`{"do": "maintain"}`: the entry's tasks; `{"do": "delete"}`: the old audit rows, in batches."""
    for name in ("DOCRAG_POSTGRES", "DOCRAG_POSTGRES_CHANGE"):
        connection = json.loads(os.environ[f"AIRFLOW_CONN_{name}"])
        os.environ[f"AIRFLOW_CONN_{name}"] = json.dumps({**connection, "schema": COPY})
    does = {"maintain": maintain, "delete": delete_in_batches}
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(does[asked.pop("do")](**asked)), flush=True)


def maintain(run_id: str) -> dict[str, Any]:
    from docrag_ops.core.changes import StepOutcome
    from docrag_ops.hooks.change_records import ChangeRecords
    from docrag_ops.hooks.include import IncludeFolder
    from tests.databases.maintenance import KIND, run_key, run_tasks

    policy = dict(IncludeFolder().environment("docrag-prod").changes[KIND].policy)
    policy["retention"] = [{**one, "export": None} for one in policy["retention"]]
    policy["reindex"] = {**policy["reindex"], "claim": None}
    policy["lock_timeout_seconds"] = LOCK_TIMEOUT_SECONDS
    run_tasks("bench", run_id, policy)
    record = ChangeRecords().find(run_key("bench", run_id), KIND)
    bad = [step for step in record.steps if step.outcome is not StepOutcome.DONE]
    if bad or not record.steps:
        raise RuntimeError(f"The maintenance did not do its work; nothing to compare: {bad}")
    return {
        "steps": len(record.steps),
        "said": [f"{step.action} {step.subject}: {step.what}" for step in record.steps],
    }


def delete_in_batches() -> dict[str, Any]:
    from functools import partial

    from docrag_ops.core.maintenance.plan import Action
    from docrag_ops.core.maintenance.policy import Pace
    from docrag_ops.hooks.include import IncludeFolder
    from docrag_ops.hooks.maintenance_session import Bounds, work_session
    from docrag_ops.hooks.old_rows import OldRows
    from docrag_ops.hooks.retention import Deleted, Hindrance, delete_old_rows
    from docrag_ops.operators.change_kinds.database_maintenance import Change
    from tests.databases.maintenance import asking

    policy = {"retention": [{"table": ["public", "audit_logs"], "column": "created_at", "days": 90}]}
    plan = Change(asking("bench", policy, "delete")).plan()
    step = next(step for step in plan.steps if step.action == Action.DELETE)
    with work_session(Bounds(lock_seconds=2, statement_seconds=600)) as session:
        rows, hindrance = OldRows(IncludeFolder(), step.details), partial(Hindrance)
        done = delete_old_rows(rows, session, Pace(), hindrance=hindrance, done=Deleted())
    return {"rows": done.rows, "work_seconds": done.work_seconds, "paused_seconds": done.paused_seconds}


if __name__ == "__main__":
    answer()
