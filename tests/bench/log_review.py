"""log_review: a review of 1,000,000 lines (levels, templates), against `kubectl logs | grep -ic error` of the same log.

Both read one API pod's log from a stand-in cluster of the bench's own, over TLS; the server's work is in both times.
Ours runs in a warm process and reads what the review reads: every pod, previous containers too, each line with its
time. Its memory is flat when a hundred times as many lines cost next to no more.
"""

import dataclasses
import json
import os
import random
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, compare, not_measured
from tests.sandbox.cluster_for_tests import PROD, StandIn, why_no_kubectl
from tests.sandbox.settings import REPOSITORY

NAME, GOAL = "log_review", 1.5
LINES, LINE_BYTES, ERROR_EVERY, TEMPLATES = 1_000_000, 120, 100, 200
FEW_LINES = 10_000
GROWTH_GOAL_MB = 20
ROUNDS = 5
NOUNS = [
    "cache",
    "index",
    "queue",
    "shard",
    "lease",
    "token",
    "vector",
    "upstream",
    "worker",
    "quota",
    "bucket",
    "batch",
    "cursor",
    "socket",
]
VERBS = [
    "refused",
    "expired",
    "vanished",
    "overflowed",
    "stalled",
    "timed-out",
    "broke",
    "diverged",
    "leaked",
    "starved",
]
PLACES = ["search", "ingest", "login", "export"]


def measure() -> Figure:
    missing = why_no_kubectl()
    if missing:
        return not_measured(NAME, GOAL, missing)
    with tempfile.TemporaryDirectory(prefix="docrag-bench-") as folder:
        stand_in = StandIn(Path(folder))
        try:
            with reviewing(stand_in) as review:
                return _compared(stand_in, review)
        finally:
            stand_in.stop()


def _compared(stand_in: StandIn, review: Callable[[], dict[str, Any]]) -> Figure:
    pod = stand_in.pod_name("api")
    path = stand_in.folder(pod) / "logs" / "api.log"
    write_log(path, FEW_LINES)
    little = review()
    write_log(path, LINES)
    figure = compare(
        NAME,
        GOAL,
        ours=lambda: _seconds(review()),
        theirs=lambda: grep(stand_in, pod),
        rounds=ROUNDS,
        unit="seconds",
    )
    growth = round(review()["peak_mb"] - little["peak_mb"], 1)
    details = {**figure.details, "growth_mb": growth, "growth_goal_mb": GROWTH_GOAL_MB}
    return dataclasses.replace(figure, details=details, within=growth <= GROWTH_GOAL_MB)


def _seconds(answer: dict[str, Any]) -> float:
    found = (answer["lines"], answer["errors"], answer["templates"])
    if found != (LINES, LINES // ERROR_EVERY, TEMPLATES):
        raise RuntimeError(f"The review found {found} lines, errors and templates; nothing to compare")
    return float(answer["seconds"])


def write_log(path: Path, lines: int) -> None:
    """JSON lines of 120 bytes over the last 23 hours, the same each time; errors of 200 kinds among them."""
    source, step = random.Random(1), timedelta(hours=23) / lines
    began = datetime.now(UTC) - timedelta(hours=23, minutes=30)
    kinds = [f"{noun} {verb} in {place}" for noun in NOUNS for verb in VERBS for place in PLACES][:TEMPLATES]
    with path.open("w") as file:
        for number in range(lines):
            failed = number % ERROR_EVERY == 0
            message = kinds[number // ERROR_EVERY % TEMPLATES] if failed else "request answered"
            line = f'{{"level":"{"error" if failed else "info"}","message":"{message}"'
            rest = f',"ms":{source.randrange(1000)},"request_id":"{source.getrandbits(160):040x}'
            padding = "0" * (LINE_BYTES - 3 - len(line) - len(rest))
            file.write(f'{began + number * step:%Y-%m-%dT%H:%M:%S.%f}000Z {line}{rest}{padding}"}}\n')


def grep(stand_in: StandIn, pod: str) -> float:
    """Seconds for what the guide does, on this one pod."""
    logs = ["kubectl", "--kubeconfig", str(stand_in.kubeconfig), "-n", PROD, "logs", pod, "--since=24h"]
    began = time.perf_counter()
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{shlex.join(logs)} | grep -ic error"],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - began
    if int(done.stdout) != LINES // ERROR_EVERY:
        raise RuntimeError(f"kubectl and grep found {done.stdout.strip()} errors; nothing to compare")
    return seconds


@contextmanager
def reviewing(stand_in: StandIn) -> Iterator[Callable[[], dict[str, Any]]]:
    """A function that has a warm process review the logs once more; its answer is that of `answer`."""
    connection = {"conn_type": "kubernetes", "extra": {"kube_config_path": str(stand_in.kubeconfig)}}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")},
        "AIRFLOW_HOME": str(stand_in.state / "airflow"),
        "AIRFLOW_CONN_DOCRAG_KUBERNETES": json.dumps(connection),
        "PYTHONPATH": str(REPOSITORY / "plugins"),
    }
    command = [sys.executable, "-m", "tests.bench.log_review"]
    with subprocess.Popen(
        command, env=environment, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def ask() -> dict[str, Any]:
            print("again", file=child.stdin, flush=True)
            for line in child.stdout:
                if line.startswith("{"):
                    found: dict[str, Any] = json.loads(line)
                    return found
            raise RuntimeError("The process that reviews the logs ended; its error is above")

        yield ask
        child.stdin.close()


def answer() -> None:
    """The review of all pods, as often as asked."""
    from docrag_ops.core.logs.review import Review
    from docrag_ops.hooks.cluster import ClusterHook
    from docrag_ops.hooks.include import IncludeFolder
    from docrag_ops.operators.sources.logs import read_all

    environment = IncludeFolder().environment("docrag-prod")
    for _ in sys.stdin:
        began, review = time.perf_counter(), Review()
        found = read_all(ClusterHook(), environment, review, now=datetime.now(UTC))
        problems = [one for one in found if one.problem]
        seconds = time.perf_counter() - began
        if problems:
            raise RuntimeError(problems)
        found = {
            "seconds": seconds,
            "lines": review.lines,
            "errors": review.errors,
            "templates": len(review.miner.seen()),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    answer()
