"""health_checks: all health checks in one warm process, against the guide's own daily script.

Wall time of both on the same sandbox: ours through hooks and into the history, the guide's through kubectl and
curl (`daily-health-check.sh` beside this file). Neither counts when something could not be measured.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from tests.bench.areas import warm_process
from tests.bench.figures import Figure, compare, not_measured
from tests.bench.platform import process_environment, running_sandbox
from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import Settings

NAME, GOAL = "health_checks", 0.5
ROUNDS = 5
AREAS = ("cluster", "service", "postgres", "redis", "qdrant", "storage", "traffic", "calendar")
"""Those of daily_health_check; other entries have areas of their own."""
OLDEST_KUBECTL = (1, 31)
SCRIPT = Path(__file__).with_name("daily-health-check.sh")


def measure() -> Figure:
    missing = why_no_kubectl()
    if missing:
        return not_measured(NAME, GOAL, missing)
    with running_sandbox() as settings, warm_process(process_environment(settings), *AREAS) as ask:
        return compare(
            NAME,
            GOAL,
            ours=lambda: ask()["seconds"],
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
