"""pods_5000: all cluster checks on a namespace of 5,000 pods, against `kubectl get pods -o json` of it.

Ours is the area `cluster` of daily_health_check, into the history, in a process of its own that was warmed up:
its wall time, and the highest memory that the whole process ever had, Airflow's own import included.
"""

import dataclasses
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.bench.figures import Figure, compare, not_measured
from tests.bench.health_checks import measure_areas, why_no_kubectl
from tests.bench.platform import connect_this_process, running_sandbox
from tests.sandbox.for_tests import settings_for_tests
from tests.sandbox.settings import REPOSITORY, Settings

NAME, GOAL = "pods_5000", 0.5
PODS, NAMESPACE = 5_000, "doc-rag-prod"
PEAK_GOAL_MB = 200
ROUNDS = 5


def measure() -> Figure:
    missing = why_no_kubectl()
    if missing:
        return not_measured(NAME, GOAL, missing)
    with running_sandbox() as settings, many_pods(settings), warm_process() as ask:
        figure = compare(
            NAME,
            GOAL,
            ours=lambda: float(ask()["seconds"]),
            theirs=lambda: kubectl(settings),
            rounds=ROUNDS,
            unit="seconds",
        )
        peak = ask()["peak_mb"]
    details = {**figure.details, "peak_mb": peak, "peak_goal_mb": PEAK_GOAL_MB}
    return dataclasses.replace(figure, details=details, within=peak <= PEAK_GOAL_MB)


@contextmanager
def many_pods(settings: Settings) -> Iterator[None]:
    """5,000 more healthy pods in the stand-in cluster, taken away again at the end."""
    url = f"http://127.0.0.1:{settings.kubernetes_control_port}/sandbox/pods"
    try:
        answer = requests.post(url, json={"count": PODS, "namespace": NAMESPACE}, timeout=60)
        answer.raise_for_status()
        yield
    finally:
        requests.delete(url, timeout=60).raise_for_status()


@contextmanager
def warm_process() -> Iterator[Any]:
    """A function that lets a process of its own run the cluster checks once: {seconds, peak_mb}."""
    command = [sys.executable, "-m", "tests.bench.pods_5000"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:

        def ask() -> dict[str, float]:
            print("again", file=child.stdin, flush=True)
            for line in child.stdout:
                if line.startswith("{"):
                    return json.loads(line)
            raise RuntimeError("The process that runs the cluster checks ended; its error is above")

        yield ask
        child.stdin.close()


def kubectl(settings: Settings) -> float:
    command = ["kubectl", "--kubeconfig", f"{settings.state_dir}/kubeconfig", "--namespace", NAMESPACE]
    command += ["get", "pods", "--output", "json"]
    began = time.perf_counter()
    got = subprocess.run(command, capture_output=True, check=True)
    seconds = time.perf_counter() - began
    found = got.stdout.count(b'"kind": "Pod"')
    if found < PODS:
        raise RuntimeError(f"kubectl saw {found} pods; expected at least {PODS}")
    return seconds


def serve() -> None:
    connect_this_process(settings_for_tests())
    for _ in sys.stdin:
        seconds = measure_areas(["cluster"])
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "peak_mb": round(peak_mb)}), flush=True)


if __name__ == "__main__":
    serve()
