"""The sources of measurements on top of the hook: every kind of object that is listed, every question asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest

from docrag_ops.core.checks import Check
from docrag_ops.core.cluster import facts
from docrag_ops.core.cluster.quantities import parse_quantity, parse_time
from docrag_ops.core.environments import Environment
from docrag_ops.core.measurements import Measured, Unmeasured
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.sources import access, certificates, cluster, scans, volumes
from tests.asking import asking_for
from tests.contract.witness import Witness

CHECKS = {check.name: check for checks in IncludeFolder().all_checks().values() for check in checks}
CLUSTER = [name for name, check in CHECKS.items() if check.source == "cluster"]
VOLUMES = [name for name, check in CHECKS.items() if check.source == "volumes"]
USAGE = {"memory_used", "cpu_used", "node_memory_used", "node_cpu_used"}
METRICS = "/apis/metrics.k8s.io/v1beta1/nodes"
PHASES = {"Pending", "Running", "Succeeded", "Failed", "Unknown"}
OWNERS = {"ReplicaSet", "StatefulSet", "DaemonSet", "Job", ""}
Lacking = Callable[[str], NoReturn]


@pytest.fixture
def asking(environment: Environment) -> Asking:
    return asking_for("contract", environment=environment)


@pytest.fixture
def listed(hook: ClusterHook, environment: Environment) -> Callable[[str], list]:
    """All objects of a kind, read by the path and into the facts that the source uses."""

    def read(kind: str) -> list:
        if kind in cluster.CLUSTER_WIDE:
            return hook.list_items(*cluster.CLUSTER_WIDE[kind])
        path, to_facts = cluster.NAMESPACED[kind]
        return [
            one
            for namespace in environment.cluster.namespaces
            for one in hook.list_items(path.format(namespace), to_facts)
        ]

    return read


@pytest.fixture
def metrics(witness: Witness, lacking: Lacking) -> None:
    """Skips where nobody measures usage."""
    answer = witness.get(METRICS)
    if answer.status in (404, 503):
        lacking(f"the metrics API answers {answer.status}: {answer.text[:80].strip()!r}")


def plausible(moment: datetime | None) -> bool:
    return (
        moment is not None
        and moment.tzinfo is not None
        and moment < datetime.now(UTC) + timedelta(minutes=10)
    )


def test_pods(listed):
    pods = listed("pods")
    assert {pod.namespace for pod in pods} == {"doc-rag-prod", "doc-rag-security"}
    assert {"ReplicaSet", "StatefulSet", "DaemonSet"} <= {pod.owner_kind for pod in pods} <= OWNERS
    assert {pod.phase for pod in pods} <= PHASES
    assert len({pod.uid for pod in pods}) == len(pods)
    for pod in pods:
        assert plausible(pod.created_at)
        assert pod.containers
        assert plausible(pod.ready_changed_at) or not pod.ready


def test_containers(listed):
    by_name = {container.name: container for pod in listed("pods") for container in pod.containers}
    api = by_name["api"]
    assert (api.cpu_limit_cores, api.memory_limit_bytes) == (1.0, 512 * 2**20)
    assert (by_name["fluentd"].cpu_limit_cores, by_name["fluentd"].memory_limit_bytes) == (0.5, 256 * 2**20)
    for pod in listed("pods"):
        for container in pod.containers:
            assert container.restarts >= 0
            assert plausible(container.running_since) or not container.ready


@pytest.mark.parametrize(
    ("kind", "listing", "names"),
    [
        (
            "Deployment",
            "deployments",
            {"api", "nginx", "postgres", "redis", "prometheus", "security-scanner"},
        ),
        ("StatefulSet", "statefulsets", {"qdrant"}),
        ("DaemonSet", "daemonsets", {"fluentd"}),
    ],
)
def test_workloads(listed, kind: str, listing: str, names: set[str]):
    found = {workload.name: workload for workload in listed(listing)}
    assert names <= found.keys()
    for name in names:
        workload = found[name]
        assert workload.kind == kind
        assert workload.desired >= 1
        assert 0 <= workload.ready <= workload.desired + 10
        assert 1 <= workload.observed_generation <= workload.generation


def test_conditions_of_a_deployment(listed):
    api = next(workload for workload in listed("deployments") if workload.name == "api")
    by_type = {condition.type: condition for condition in api.conditions}
    assert {"Available", "Progressing"} <= by_type.keys()
    assert {condition.status for condition in api.conditions} <= {"True", "False", "Unknown"}
    assert all(plausible(condition.changed_at) for condition in api.conditions)


def test_jobs(listed, lacking: Lacking):
    jobs = [job for job in listed("jobs") if job["metadata"]["name"] == "docrag-migrate"]
    if not jobs:
        lacking("the Job docrag-migrate has been cleaned up")
    assert jobs[0]["status"].keys() & {"succeeded", "failed", "active"}
    assert plausible(parse_time(jobs[0]["metadata"]["creationTimestamp"]))


def test_autoscalers(listed):
    api = next(one for one in listed("autoscalers") if one["metadata"]["name"] == "api-hpa")
    assert (api["spec"]["minReplicas"], api["spec"]["maxReplicas"]) == (3, 10)
    conditions = {one.type for one in facts.condition_facts(api.get("status") or {})}
    assert conditions <= {"AbleToScale", "ScalingActive", "ScalingLimited"}


def test_services_and_their_slices(listed):
    services = {one["metadata"]["name"]: one for one in listed("services")}
    assert {"api", "nginx", "postgres", "redis", "qdrant", "prometheus"} <= services.keys()
    assert services["api"]["spec"]["selector"] == {"app": "api"}
    slices = [
        one
        for one in listed("slices")
        if one["metadata"].get("labels", {}).get("kubernetes.io/service-name") == "api"
    ]
    assert slices
    for one in slices:
        assert all("ready" in endpoint.get("conditions", {}) for endpoint in one.get("endpoints") or ())


def test_claims(listed):
    claims = {one["metadata"]["name"]: one for one in listed("claims")}
    assert {"api-storage", "postgres-data", "qdrant-data", "redis-data"} <= claims.keys()
    assert {one["status"]["phase"] for one in claims.values()} <= {"Pending", "Bound", "Lost"}
    assert parse_quantity(claims["api-storage"]["spec"]["resources"]["requests"]["storage"]) == 10 * 2**30


def test_nodes(listed):
    nodes = listed("nodes")
    assert nodes
    for node in nodes:
        assert {"Ready", "MemoryPressure", "DiskPressure"} <= {
            one["type"] for one in node["status"]["conditions"]
        }
        assert 0.5 <= parse_quantity(node["status"]["allocatable"]["cpu"]) <= 4096
        assert parse_quantity(node["status"]["allocatable"]["memory"]) > 2**28


@pytest.mark.usefixtures("metrics")
def test_usage_of_pods(listed, lacking: Lacking):
    usage = [container for pod in listed("pod_usage") for container in pod]
    if not usage:
        lacking("the metrics API has not measured any pod yet")
    assert {one.namespace for one in usage} <= {"doc-rag-prod", "doc-rag-security"}
    for one in usage:
        assert 0 <= one.cpu_cores < 64
        assert 0 <= one.memory_bytes < 2**40
    assert max(one.memory_bytes for one in usage) > 2**20


@pytest.mark.usefixtures("metrics")
def test_usage_of_nodes(listed, lacking: Lacking):
    usage = listed("node_usage")
    if not usage:
        lacking("the metrics API has not measured any node yet")
    assert {one.name for one in usage} <= {node["metadata"]["name"] for node in listed("nodes")}
    for one in usage:
        assert 0 < one.cpu_cores < 1024
        assert 2**24 < one.memory_bytes < 2**44


def test_every_question_about_the_cluster_is_answered(asking: Asking):
    """Whether the answers are good is the cluster's affair; that they are measurements is the contract."""
    names = [name for name in CLUSTER if CHECKS[name].asked not in USAGE]
    answers = cluster.answer([CHECKS[name] for name in names], asking)
    assert {name: outcome for name, outcome in answers.items() if not isinstance(outcome, Measured)} == {}
    assert set(answers) == set(names)


def test_usage_is_measured_or_the_refusal_is_quoted(asking: Asking, witness: Witness):
    names = [name for name in CLUSTER if CHECKS[name].asked in USAGE]
    answer = witness.get(METRICS)
    outcomes = cluster.answer([CHECKS[name] for name in names], asking).values()
    assert len(outcomes) == len(USAGE)
    for outcome in outcomes:
        if answer.status == 200:
            assert isinstance(outcome, Measured)
        else:
            assert isinstance(outcome, Unmeasured)
            assert f"HTTP {answer.status}" in outcome.reason


def test_with_a_wrong_token_nothing_is_measured(asking: Asking, with_token):
    with_token("wrong")
    for name, outcome in cluster.answer([CHECKS[name] for name in CLUSTER], asking).items():
        assert isinstance(outcome, Unmeasured), name
        assert "HTTP 401" in outcome.reason


@pytest.mark.parametrize("name", VOLUMES)
def test_volumes_are_measured_in_every_ready_pod(
    asking: Asking, witness: Witness, hook: ClusterHook, lacking: Lacking, name: str
):
    before = witness.ready_pod_names("doc-rag-prod", "api")
    if not before:
        lacking("no pod of the Deployment api is ready")
    if not mounted(witness, "/app/storage"):
        lacking("no volume is mounted at /app/storage in the pods of api")
    check: Check = CHECKS[name]
    outcome = volumes.answer([check], asking)[name]
    after = witness.ready_pod_names("doc-rag-prod", "api")
    assert isinstance(outcome, Measured)
    by_pod = {one.subject.partition("/")[2].partition(":")[0]: one for one in outcome.measurements}
    assert before & after <= by_pod.keys() <= before | after
    for pod in before & after:
        assert by_pod[pod].subject == f"doc-rag-prod/{pod}:/app/storage"
        assert by_pod[pod].problem == ""
        assert 0 <= by_pod[pod].value <= 1


def mounted(witness: Witness, path: str) -> bool:
    return any(
        mount.mount_path == path
        for pod in witness.pods("doc-rag-prod", app="api")
        for container in pod.spec.containers
        for mount in container.volume_mounts or ()
    )


OPERATORS = {"certificates": ("cert-manager.io", certificates), "scans": ("aquasecurity.github.io", scans)}


@pytest.mark.parametrize("source", OPERATORS)
def test_objects_of_an_operator_are_measured_or_it_is_said_to_be_absent(
    asking: Asking, hook: ClusterHook, source: str
):
    """What is served over TLS, and what the scanner prints, is another matter than the cluster."""
    group, module = OPERATORS[source]
    checks = [check for check in CHECKS.values() if check.source == source]
    checks = [check for check in checks if not check.asked.startswith(("served", "results"))]
    is_there = group in hook.api_groups()
    for name, outcome in module.answer(checks, asking).items():
        if is_there:
            assert isinstance(outcome, Measured), (name, outcome)
        else:
            assert isinstance(outcome, Unmeasured), name
            assert f"no API group {group}" in outcome.reason


def test_logs_for_failed_authentications_are_read_in_every_pod(asking: Asking, witness: Witness):
    (check,) = [check for check in CHECKS.values() if check.name == "access_lines"]
    before = witness.ready_pod_names("doc-rag-prod", "nginx")
    outcome = access.answer([check], asking)[check.name]
    assert isinstance(outcome, Measured)
    assert outcome.measurements[0].subject == "all containers"
    problems = {one.subject: one.problem for one in outcome.measurements[1:]}
    silent = [text for name, text in problems.items() if name.partition("/")[2] in before]
    assert all("without a line" in text for text in silent), problems
