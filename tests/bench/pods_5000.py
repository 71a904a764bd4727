"""pods_5000: all cluster checks on a namespace of 5,000 pods, against `kubectl get pods -o json` of it.

Ours is the area `cluster` of daily_health_check, into the history, in a process of its own that was warmed up: its
wall time, and the most memory that it ever had. The goal for memory is held against what is above Airflow's own
import (`checks_mb`), which a task that does nothing has too: the provider's hook alone brings a process to that goal.
"""

import dataclasses
import subprocess
import time

import requests

from tests.bench.areas import warm_process
from tests.bench.figures import Figure, compare, not_measured
from tests.bench.health_checks import why_no_kubectl
from tests.bench.platform import process_environment, running_sandbox
from tests.sandbox.settings import Settings

NAME, GOAL = "pods_5000", 0.5
PODS, NAMESPACE = 5_000, "doc-rag-prod"
CHECKS_GOAL_MB = 200
ROUNDS = 5


def measure() -> Figure:
    missing = why_no_kubectl()
    if missing:
        return not_measured(NAME, GOAL, missing)
    with running_sandbox() as settings, warm_process(process_environment(settings), "cluster") as ask:
        add_pods(settings)
        figure = compare(
            NAME,
            GOAL,
            ours=lambda: ask()["seconds"],
            theirs=lambda: kubectl(settings),
            rounds=ROUNDS,
            unit="seconds",
        )
        memory = ask()
    peak, checks = memory["peak_mb"], memory["peak_mb"] - memory["airflow_mb"]
    details = {**figure.details, "peak_mb": peak, "checks_mb": checks, "checks_goal_mb": CHECKS_GOAL_MB}
    return dataclasses.replace(figure, details=details, within=checks <= CHECKS_GOAL_MB)


def add_pods(settings: Settings) -> None:
    """5,000 more healthy pods in the stand-in cluster, which forgets them when it is stopped."""
    url = f"http://127.0.0.1:{settings.kubernetes_control_port}/sandbox/pods"
    requests.post(url, json={"count": PODS, "namespace": NAMESPACE}, timeout=60).raise_for_status()


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
