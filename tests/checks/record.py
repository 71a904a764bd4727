"""Record what a healthy platform answers: `python -m tests.checks.record` while the sandbox is up and without faults.

Writes `fixtures/AREA/healthy.json`: what each foreign system sent, as it sent it. The fixtures of a check are
this, with what a fault changes. Run it again when a check asks something new; then look at the difference.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.sandbox.settings import load_settings

FIXTURES = Path(__file__).parent / "fixtures"
LOG_LINES = 40
INFO_LEFT_OUT = ("redis_build_id", "executable", "config_file", "process_id", "monotonic_clock")


def main() -> None:
    """Record every area."""
    connections = json.loads((load_settings().state_dir / "connections.json").read_text())
    os.environ |= {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    from docrag_ops.hooks.include import IncludeFolder

    include = IncludeFolder()
    environment = include.environment("docrag-prod")
    for area, record in {
        "cluster": cluster,
        "postgres": postgres,
        "redis": redis,
        "service": service,
        "qdrant": qdrant,
        "storage": storage,
        "traffic": traffic,
        "logs": logs,
    }.items():
        answers = record(include, environment)
        now = datetime.now(UTC).replace(microsecond=0).isoformat()
        folder = FIXTURES / area
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"now": now, **answers}, indent=1, default=_plain, ensure_ascii=False)
        (folder / "healthy.json").write_text(text + "\n")


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def cluster(include: Any, environment: Any) -> dict[str, Any]:
    """Every list that the questions read, by path."""
    from docrag_ops.hooks.cluster import ClusterHook
    from docrag_ops.operators.sources.cluster import CLUSTER_WIDE, NAMESPACED

    namespaces = environment.cluster.namespaces
    paths = [f"/api/v1/namespaces/{name}" for name in namespaces]
    paths += [path.format(name) for path, _ in NAMESPACED.values() for name in namespaces]
    paths += [path for path, _ in CLUSTER_WIDE.values()]
    hook = ClusterHook()
    return {"kubernetes": {path: _object(hook, path) for path in paths}}


def _object(hook: Any, path: str) -> Any:
    """An API object or list, without `managedFields`, which nobody reads and which are half of its size."""
    answer = json.loads(hook._ask(path, ())[1])
    for item in answer.get("items", ()):
        item["metadata"].pop("managedFields", None)
    return answer


def postgres(include: Any, environment: Any) -> dict[str, Any]:
    """The rows of every query."""
    from docrag_ops.hooks.database import DatabaseHook

    names = sorted(f"postgres/{path.name}" for path in (include.root / "sql/postgres").glob("*.sql"))
    names.remove("postgres/write_probe.sql")
    parameters = {"expected_long_transactions": ["pg_dump"]}
    with DatabaseHook().session() as session:
        rows = {name: session.rows(include.query("sql", name), parameters, name=name) for name in names}
    return {"sql": {name: found[:5] for name, found in rows.items()}}


def redis(include: Any, environment: Any) -> dict[str, Any]:
    """INFO as the server writes it."""
    from docrag_ops.hooks.cache import CacheHook

    client = CacheHook()._client
    client.response_callbacks.pop("INFO")
    lines = client.execute_command("INFO").decode().splitlines()
    return {"redis": {"INFO": [line for line in lines if not line.startswith(INFO_LEFT_OUT)]}}


def service(include: Any, environment: Any) -> dict[str, Any]:
    """The probe and the known question."""
    from docrag_ops.hooks.web import WebHook

    hook, question = WebHook("docrag_api", name="The API"), environment.service.question
    return {
        "web": {
            "GET /healthz": _response(hook.ask("GET", environment.service.health_path)),
            "POST /query": _response(hook.ask("POST", question.path, json={"question": question.text})),
        }
    }


def qdrant(include: Any, environment: Any) -> dict[str, Any]:
    """Readiness and collections."""
    from docrag_ops.hooks.web import WebHook

    hook = WebHook("docrag_qdrant", name="Qdrant")
    paths = ("/readyz", "/collections", "/collections/documents")
    return {"web": {f"GET {path}": _response(hook.ask("GET", path)) for path in paths}}


def storage(include: Any, environment: Any) -> dict[str, Any]:
    """`df` in every api pod, what finds those pods, and the kubelet's metrics."""
    from docrag_ops.hooks.cluster import ClusterHook

    hook, base = ClusterHook(), "/apis/apps/v1/namespaces/doc-rag-prod"
    paths = [f"{base}/deployments/api", f"{base}/replicasets", "/api/v1/namespaces/doc-rag-prod/pods"]
    run = {}
    for pod in hook.ready_pods("Deployment", "doc-rag-prod", "api"):
        for unit in ("-k", "-i"):
            command = ["df", "-P", unit, "/app/storage"]
            run[f"{pod.name} {' '.join(command)}"] = vars(hook.run(pod, "api", command))
    return {
        "kubernetes": {path: _object(hook, path) for path in paths},
        "exec": run,
        **_prometheus(include, environment, "storage"),
    }


def traffic(include: Any, environment: Any) -> dict[str, Any]:
    """Prometheus' answers."""
    return _prometheus(include, environment, "traffic")


def logs(include: Any, environment: Any) -> dict[str, Any]:
    """The end of every API pod's log, and what lies in the fluentd pods' /var/log, a character per byte."""
    from docrag_ops.core.logs.files import PRINTF
    from docrag_ops.hooks.cluster import ClusterHook

    hook, apps = ClusterHook(), "/apis/apps/v1/namespaces/doc-rag-prod"
    paths = [f"{apps}/deployments/api", f"{apps}/daemonsets/fluentd", f"{apps}/replicasets"]
    lines, files = {}, {}
    for pod, _ in hook.pods_of("Deployment", "doc-rag-prod", "api"):
        text = b"".join(hook.stream_logs(pod, "api", since_seconds=86_400)).decode()
        lines[pod.name] = text.splitlines()[-LOG_LINES:]
    for pod, _ in hook.pods_of("DaemonSet", "doc-rag-prod", "fluentd"):
        listed = hook.run_raw(pod, "fluentd", ["find", "/var/log", "-xdev", "-printf", PRINTF])
        files[pod.name] = {"stdout": listed.stdout.decode("latin-1")}
    return {
        "kubernetes": {
            path: _object(hook, path) for path in (*paths, "/api/v1/namespaces/doc-rag-prod/pods")
        },
        "logs": lines,
        "files": files,
    }


def _prometheus(include: Any, environment: Any, area: str) -> dict[str, Any]:
    from docrag_ops.hooks.metrics import MetricsHook

    hook, variables = MetricsHook(), environment.traffic.variables
    names = sorted(f"{area}/{path.name}" for path in (include.root / "promql" / area).glob("*.promql"))
    queries = {name: include.promql(name, variables) for name in names}
    asked = {name: hook.ask("POST", "/api/v1/query", data={"query": text}) for name, text in queries.items()}
    return {"prometheus": {name: response.json() for name, response in asked.items()}}


def _response(response: Any) -> dict[str, Any]:
    return {"http": response.status_code, "body": response.text}


if __name__ == "__main__":
    main()
