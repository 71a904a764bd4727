"""health_checks: all health checks in one warm process, against the guide's own daily script.

Wall time of both on the same sandbox: ours through hooks and into the history, the guide's through kubectl and
curl (`daily-health-check.sh` beside this file). Neither counts when something could not be measured.
"""

import json
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from tests.bench.figures import Figure, compare, not_measured
from tests.bench.platform import connect_this_process, running_sandbox
from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import Settings

NAME, GOAL = "health_checks", 0.5
ROUNDS = 5
OLDEST_KUBECTL = (1, 31)
SCRIPT = Path(__file__).with_name("daily-health-check.sh")


def measure() -> Figure:
    missing = why_no_kubectl()
    if missing:
        return not_measured(NAME, GOAL, missing)
    with running_sandbox() as settings:
        connect_this_process(settings)
        return compare(
            NAME,
            GOAL,
            ours=all_health_checks,
            theirs=lambda: guide_script(settings),
            rounds=ROUNDS,
            unit="seconds",
        )


def why_no_kubectl() -> str:
    """Why kubectl cannot be compared with; empty when it can."""
    if not shutil.which("kubectl"):
        return "kubectl is not installed"
    said = subprocess.run(
        ["kubectl", "version", "--client", "--output=json"], capture_output=True, text=True, check=False
    )
    if said.returncode:
        return f"kubectl does not tell its version: {said.stderr.strip()}"
    version = json.loads(said.stdout)["clientVersion"]
    if (int(version["major"]), int(version["minor"].rstrip("+"))) < OLDEST_KUBECTL:
        return f"kubectl is {version['gitVersion']}; 1.31 or newer is needed"
    return ""


def all_health_checks() -> float:
    from docrag_ops.hooks.include import IncludeFolder

    return measure_areas(IncludeFolder().areas())


def measure_areas(areas: list[str]) -> float:
    """Seconds for these areas, one after the other, as the check tasks of daily_health_check do it."""
    from docrag_ops.hooks.history import RunKey
    from docrag_ops.hooks.include import IncludeFolder
    from docrag_ops.operators.asking import Asking
    from docrag_ops.operators.checks import CheckOperator

    began = time.perf_counter()
    include, now = IncludeFolder(), datetime.now(UTC)
    asking = Asking(
        environment=include.environment("docrag-prod"),
        include=include,
        run=RunKey(environment="docrag-prod", entry="bench", run_id=f"bench__{now.isoformat()}"),
        now=now,
        # The one question that only a task may ask: Airflow's answer about a DAG.
        task_instance=SimpleNamespace(
            get_dag=lambda name: SimpleNamespace(is_paused=False, next_dagrun=None)
        ),
    )
    results = [CheckOperator(task_id=f"check_{area}", area=area).measure(asking) for area in areas]
    seconds = time.perf_counter() - began
    findings = [finding for result in results for finding in result.findings]
    bad = [f"{finding.check}: {finding.evidence}" for finding in findings if finding.verdict.fails]
    if bad:
        raise SandboxError(f"{len(bad)} checks did not end well; nothing to compare: {bad[0]}")
    return seconds


def guide_script(settings: Settings) -> float:
    """Seconds for the guide's script."""
    environment = {
        **os.environ,
        "KUBECONFIG": str(settings.state_dir / "kubeconfig"),
        "API_URL": f"http://127.0.0.1:{settings.api_port}",
        "PROMETHEUS_URL": f"http://127.0.0.1:{settings.prometheus_port}",
    }
    began = time.perf_counter()
    done = subprocess.run([str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SandboxError(f"{SCRIPT.name} failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return seconds
