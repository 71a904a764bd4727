"""A stand-in cluster of a test's own: started on free ports in a temporary folder, spoken to as a user would."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from kubernetes import client, config
from kubernetes.stream import stream
from kubernetes.stream.ws_client import WSClient

REPOSITORY = Path(__file__).parents[2]
MANIFESTS = REPOSITORY / "tests" / "sandbox" / "manifests"
STARTED = re.compile(r"API on https://127\.0\.0\.1:(\d+), control on http://127\.0\.0\.1:(\d+),")
PROD = "doc-rag-prod"


@functools.cache
def why_no_kubectl() -> str:
    """Why kubectl cannot be used for exec over WebSocket; empty when it can."""
    if shutil.which("kubectl") is None:
        return "kubectl is not installed"
    told = subprocess.run(
        ["kubectl", "version", "--client", "-o", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    found = re.search(r'"minor":\s*"(\d+)', told.stdout)
    if found is None or int(found.group(1)) < 31:
        return f"kubectl is older than 1.31 (minor version {found.group(1) if found else 'unknown'})"
    return ""


@dataclass(frozen=True)
class Reply:
    status: int
    text: str
    content_type: str

    def json(self) -> Any:
        return json.loads(self.text)


class StandIn:
    """The running process, and the ways to talk to it."""

    def __init__(self, state: Path, *options: str, manifests: Path = MANIFESTS) -> None:
        self.state = state
        self._session = requests.Session()
        self._session.trust_env = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.sandbox.cluster", "--port", "0", "--control-port", "0",
             "--state", str(state), "--manifests", str(manifests), *options],
            cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        started = STARTED.match(line)
        if started is None:
            raise AssertionError(f"the stand-in did not start: {line!r} {self.stop()!r}")
        self.port, self.control_port = int(started.group(1)), int(started.group(2))
        self.kubeconfig = state / "kubeconfig"
        self._clients: list[client.ApiClient] = []
        self._session.verify = str(state / "cluster" / "ca.crt")

    def stop(self) -> str:
        """End it and return what it complained about."""
        for made in getattr(self, "_clients", ()):
            made.rest_client.pool_manager.clear()
        self._session.close()
        self.process.terminate()
        _, complaints = self.process.communicate(timeout=10)
        return complaints

    def api(self, context: str = "sandbox") -> client.ApiClient:
        """A client of its own for every caller: one that has served an exec is spoilt for other calls."""
        self._clients.append(config.new_client_from_config(str(self.kubeconfig), context=context))
        return self._clients[-1]

    def core(self, context: str = "sandbox") -> client.CoreV1Api:
        return client.CoreV1Api(self.api(context))

    def token(self, context: str = "sandbox") -> str:
        users = json.loads(self.kubeconfig.read_text())["users"]
        return next(user["user"]["token"] for user in users if user["name"] == context)

    def get(self, path: str, *, token: str | None = None, method: str = "GET", timeout: float = 10) -> Reply:
        """A request without any client's own ideas; `token=""` sends none."""
        token = self.token() if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._session.request(
            method, f"https://127.0.0.1:{self.port}{path}", headers=headers, timeout=timeout
        )
        return Reply(answer.status_code, answer.text, answer.headers["Content-Type"].split(";")[0])

    def control(self, method: str, path: str, body: Any = None) -> Reply:
        url = f"http://127.0.0.1:{self.control_port}/sandbox/{path}"
        answer = self._session.request(method, url, json=body, timeout=20)
        return Reply(answer.status_code, answer.text, answer.headers["Content-Type"].split(";")[0])

    def fault(self, name: str, *, on: bool) -> None:
        reply = self.control("POST", f"faults/{name}", {"on": on})
        assert reply.status == 200, reply.text

    def kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        base = [
            "kubectl",
            "--kubeconfig",
            str(self.kubeconfig),
            "--cache-dir",
            str(self.state / "kubectl-cache"),
        ]
        return subprocess.run(
            [*base, *arguments], capture_output=True, text=True, check=False, timeout=60, input=stdin,
            env={**os.environ, "KUBECONFIG": ""},
        )  # fmt: skip

    def pod(self, workload: str, ordinal: int = 0) -> Any:
        """One of the pods with this `app` label."""
        listed = self.get(f"/api/v1/namespaces/{PROD}/pods?labelSelector=app%3D{workload}").json()
        return listed["items"][ordinal]

    def pod_name(self, workload: str, ordinal: int = 0) -> str:
        return str(self.pod(workload, ordinal)["metadata"]["name"])

    def exec(self, pod: str, *command: str, context: str = "sandbox", **more: Any) -> WSClient:
        """An exec over a client of its own, run to its end."""
        running = stream(
            self.core(context).connect_get_namespaced_pod_exec, pod, PROD, command=list(command), stderr=True,
            stdin=False, stdout=True, tty=False, _preload_content=False, **more,
        )  # fmt: skip
        running.run_forever(timeout=20)
        hang_up(running)
        return running

    def run(self, pod: str, *command: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        done = self.exec(pod, *command)
        return done.returncode, done.read_stdout(timeout=0), done.read_stderr(timeout=0)

    def folder(self, pod: str) -> Path:
        return self.state / "pods" / PROD / pod

    def memory_bytes(self, field: str = "VmRSS") -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{field}:")[1].split()[0]) * 1024

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def hang_up(running: WSClient) -> None:
    """Close an exec's socket; `close` alone does not when the server has closed first."""
    running.close()
    running.sock.shutdown()
