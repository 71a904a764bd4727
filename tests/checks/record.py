"""Record what a healthy platform answers: `python -m tests.checks.record` while the sandbox is up and without faults.

Writes `fixtures/AREA/healthy.json`: what each foreign system sent, as it sent it. The fixtures of a check are
this, with what a fault changes. Run it again when a check asks something new; then look at the difference.
`python -m tests.checks.record AREA…` records these areas only.
"""

import dataclasses
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.sandbox.settings import load_settings

FIXTURES = Path(__file__).parent / "fixtures"
LOG_LINES = 40
INFO_LEFT_OUT = ("redis_build_id", "executable", "config_file", "process_id", "monotonic_clock")


def main() -> None:
    """Record every area, or those that are named."""
    connections = json.loads((load_settings().state_dir / "connections.json").read_text())
    os.environ |= {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    from docrag_ops.hooks.include import IncludeFolder

    include = IncludeFolder()
    environment = include.environment("docrag-prod")
    for area, record in {
        "cluster": cluster,
        "postgres": postgres,
        "redis": redis,
        "cache_use": redis,
        "service": service,
        "qdrant": qdrant,
        "storage": storage,
        "traffic": traffic,
        "logs": logs,
        "certificates": certificates,
        "scans": scans,
        "access": access,
    }.items():
        if sys.argv[1:] and area not in sys.argv[1:]:
            continue
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
    for item in answer.get("items") or ():
        item["metadata"].pop("managedFields", None)
    return answer


def postgres(include: Any, environment: Any) -> dict[str, Any]:
    """The rows of every query."""
    from docrag_ops.hooks.database import DatabaseHook

    names = sorted(f"postgres/{path.name}" for path in (include.root / "sql/postgres").glob("*.sql"))
    names.remove("postgres/write_probe.sql")
    names.append("performance/statements_version.sql")
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


def certificates(include: Any, environment: Any) -> dict[str, Any]:
    """cert-manager's objects, and what the endpoints serve."""
    from docrag_ops.hooks.cluster import ClusterHook
    from docrag_ops.hooks.tls import TlsHook
    from docrag_ops.operators.sources.certificates import BASE

    hook, namespaces = ClusterHook(), environment.cluster.namespaces
    kinds = ("certificates", "certificaterequests")
    paths = ["/apis", *(f"{BASE}/{name}/{kind}" for name in namespaces for kind in kinds)]
    served = {
        f"{one.name}:{one.port}": [dataclasses.asdict(seen.certificate) for seen in TlsHook().see(one)]
        for one in environment.certificates.endpoints
    }
    return {"kubernetes": {path: _object(hook, path) for path in paths}, "tls": served}


def scans(include: Any, environment: Any) -> dict[str, Any]:
    """The operator's reports, what they are about, and what the scanner's own command prints."""
    from docrag_ops.hooks.cluster import ClusterHook

    hook, namespaces, told = ClusterHook(), environment.cluster.namespaces, environment.scans.results
    reports, apps = "/apis/aquasecurity.github.io/v1alpha1/namespaces", "/apis/apps/v1/namespaces"
    paths = [
        *("/apis", f"{apps}/doc-rag-security/deployments/{told.workload}"),
        *(
            f"{reports}/{name}/{kind}"
            for name in namespaces
            for kind in ("vulnerabilityreports", "configauditreports")
        ),
        *(
            f"{apps}/{name}/{kind}"
            for name in namespaces
            for kind in ("replicasets", "statefulsets", "daemonsets")
        ),
        "/api/v1/namespaces/doc-rag-security/pods",
    ]
    run = {
        f"{pod.name} {' '.join(told.command)}": vars(hook.run(pod, told.container, told.command))
        for pod in hook.ready_pods("Deployment", "doc-rag-security", told.workload)
    }
    return {"kubernetes": {path: _object(hook, path) for path in paths}, "exec": run}


def access(include: Any, environment: Any) -> dict[str, Any]:
    """The end of every API and nginx pod's log, and the service's own counters."""
    from docrag_ops.hooks.cluster import ClusterHook

    hook, apps = ClusterHook(), "/apis/apps/v1/namespaces/doc-rag-prod"
    lines = {}
    for one in environment.access.containers:
        for pod, _ in hook.pods_of("Deployment", "doc-rag-prod", one.workload):
            text = b"".join(hook.stream_logs(pod, one.container, since_seconds=86_400)).decode()
            lines[pod.name] = text.splitlines()[-LOG_LINES:]
    paths = [*(f"{apps}/deployments/{name}" for name in ("api", "nginx")), f"{apps}/replicasets"]
    return {
        "kubernetes": {
            path: _object(hook, path) for path in (*paths, "/api/v1/namespaces/doc-rag-prod/pods")
        },
        "logs": lines,
        **_prometheus(include, environment, "access"),
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
