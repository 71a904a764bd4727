"""Every fault has its consequences, and leaves none behind."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from kubernetes import client
from kubernetes.client.rest import ApiException

from tests.sandbox.cluster import faults
from tests.sandbox.cluster_for_tests import PROD, StandIn

LISTED = ["/api/v1/nodes", "/api/v1/namespaces", "/apis/apps/v1/deployments", "/apis/apps/v1/replicasets",
          "/apis/apps/v1/statefulsets", "/apis/apps/v1/daemonsets", "/apis/batch/v1/jobs", "/api/v1/pods",
          "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices", "/api/v1/persistentvolumeclaims",
          "/apis/autoscaling/v2/horizontalpodautoscalers", "/api/v1/events", "/api/v1/configmaps",
          "/apis/cert-manager.io/v1/certificates", "/apis/cert-manager.io/v1/certificaterequests"]  # fmt: skip
World = dict[str, dict[str, Any]]


def look(stand_in: StandIn, paths: list[str] = LISTED) -> World:
    """Everything by kind and name, without what moves by itself: resource versions, heartbeats."""
    seen: World = {}
    for path in paths:
        listed = stand_in.get(path).json()
        for item in listed["items"]:
            del item["metadata"]["resourceVersion"]
            for entry in item.get("status", {}).get("conditions") or ():
                entry.pop("lastHeartbeatTime", None)
            seen.setdefault(listed["kind"].removesuffix("List"), {})[item["metadata"]["name"]] = item
    return seen


def pods(world: World, app: str) -> list[Any]:
    return [pod for pod in world["Pod"].values() if pod["metadata"]["labels"].get("app") == app]


def states(world: World, app: str) -> list[Any]:
    return [s for pod in pods(world, app) for s in pod["status"].get("containerStatuses") or ()]


def conditions(obj: Any) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c.get("reason", "")) for c in obj["status"]["conditions"]}


def waiting_reasons(world: World) -> set[str]:
    return {s["state"]["waiting"]["reason"] for s in states(world, "nginx") if "waiting" in s["state"]}


def endpoints(world: World, service: str) -> list[Any]:
    slices = [s for s in world["EndpointSlice"].values()
              if s["metadata"]["labels"]["kubernetes.io/service-name"] == service]  # fmt: skip
    return [e["conditions"]["ready"] for s in slices for e in s["endpoints"] or ()]


def one_nginx_is_down(world: World) -> bool:
    status = world["Deployment"]["nginx"]["status"]
    return (
        (status["availableReplicas"], status["unavailableReplicas"]) == (1, 1)
        and conditions(world["Deployment"]["nginx"])["Available"] == ("False", "MinimumReplicasUnavailable")
        and endpoints(world, "nginx").count(True) == 1
    )


def crash_loop(world: World) -> bool:
    crashing = next(s for s in states(world, "nginx") if "waiting" in s["state"])
    return (
        waiting_reasons(world) == {"CrashLoopBackOff"}
        and {pod["status"]["phase"] for pod in pods(world, "nginx")} == {"Running"}
        and crashing["restartCount"] >= 5
        and crashing["lastState"]["terminated"]["exitCode"] == 1
        and endpoints(world, "nginx").count(False) == 1
        and one_nginx_is_down(world)
    )


def unschedulable(world: World) -> bool:
    pending = next(pod for pod in pods(world, "nginx") if pod["status"]["phase"] == "Pending")
    return (
        "containerStatuses" not in pending["status"]
        and "nodeName" not in pending["spec"]
        and conditions(pending) == {"PodScheduled": ("False", "Unschedulable")}
        and one_nginx_is_down(world)
    )


def oom_killed(world: World) -> bool:
    killed = [s for s in states(world, "fluentd") if "terminated" in s["lastState"]]
    return (
        len(killed) == 1
        and killed[0]["lastState"]["terminated"]["reason"] == "OOMKilled"
        and killed[0]["ready"]
    )


def evicted_pod(world: World) -> bool:
    reasons = [pod["status"].get("reason") for pod in pods(world, "nginx")]
    return sorted(map(str, reasons)) == ["Evicted", "None", "None"] and endpoints(world, "nginx") == [
        True,
        True,
    ]


def stuck_terminating(world: World) -> bool:
    dying = [pod for pod in pods(world, "nginx") if "deletionTimestamp" in pod["metadata"]]
    return (
        len(dying) == 1
        and dying[0]["status"]["phase"] == "Running"
        and conditions(dying[0])["Ready"][0] == "True"
        and sorted(endpoints(world, "nginx")) == [False, True, True]
        and world["Deployment"]["nginx"]["status"]["readyReplicas"] == 2
    )


def node_not_ready(world: World) -> bool:
    lost = [
        pod for pod in world["Pod"].values() if pod["spec"]["nodeName"] == "node-3" and "nginx" in str(pod)
    ]
    return (
        conditions(world["Node"]["node-3"])["Ready"] == ("Unknown", "NodeStatusUnknown")
        and all(pod["status"]["phase"] == "Running" for pod in lost)
        and world["DaemonSet"]["fluentd"]["status"]["numberUnavailable"] == 1
        and one_nginx_is_down(world)
    )


def hpa(world: World) -> dict[str, tuple[str, str]]:
    return conditions(world["HorizontalPodAutoscaler"]["api-hpa"])


def hpa_unable(world: World) -> bool:
    metrics = world["HorizontalPodAutoscaler"]["api-hpa"]["status"]["currentMetrics"]
    return hpa(world)["ScalingActive"] == ("False", "FailedGetResourceMetric") and metrics is None


def stale_generation(world: World) -> bool:
    nginx = world["Deployment"]["nginx"]
    return (
        nginx["metadata"]["generation"] == nginx["status"]["observedGeneration"] + 1
        and nginx["status"]["readyReplicas"] == 2
    )


def tls(world: World, name: str = "prometheus-tls") -> dict[str, Any]:
    return world["Certificate"][name]["status"]


def past(moment: str) -> bool:
    return datetime.fromisoformat(moment) < datetime.now(UTC)


def renewed_beside_what_is_served(world: World) -> bool:
    requests = [name for name in world["CertificateRequest"] if name.startswith("doc-rag-tls")]
    return len(requests) == 2 and tls(world, "doc-rag-tls")["revision"] == 2


CONSEQUENCES: dict[str, Callable[[World], bool]] = {
    "crash_loop": crash_loop,
    "image_pull": lambda w: waiting_reasons(w) == {"ImagePullBackOff"} and one_nginx_is_down(w),
    "container_config_error": lambda w: waiting_reasons(w) == {"CreateContainerConfigError"} and one_nginx_is_down(w),
    "unschedulable": unschedulable,
    "oom_killed": oom_killed,
    "many_restarts": lambda w: max(s["restartCount"] for s in states(w, "fluentd")) == 27,
    "evicted_pod": evicted_pod,
    "stuck_terminating": stuck_terminating,
    "pod_not_ready": one_nginx_is_down,
    "node_not_ready": node_not_ready,
    "node_disk_pressure": lambda w: conditions(w["Node"]["node-3"])["DiskPressure"][0] == "True",
    "claim_pending": lambda w: w["PersistentVolumeClaim"]["nginx-cache"]["status"] == {"phase": "Pending"},
    "hpa_at_limit": lambda w: hpa(w)["ScalingLimited"] == ("True", "TooManyReplicas"),
    "hpa_unable": hpa_unable,
    "metrics_api_absent": hpa_unable,
    "metrics_api_down": hpa_unable,
    "missing_replicas": lambda w: len(pods(w, "nginx")) == 1
    and conditions(w["Deployment"]["nginx"])["ReplicaFailure"] == ("True", "FailedCreate"),
    "stale_generation": stale_generation,
    "workload_missing": lambda w: not w.get("DaemonSet") and not pods(w, "fluentd") and not endpoints(w, "fluentd"),
    "namespace_missing": lambda w: "doc-rag-security" not in w["Namespace"] and not pods(w, "security-scanner"),
    "service_without_endpoints": lambda w: not endpoints(w, "nginx") and len(pods(w, "nginx")) == 2,
    "job_failed": lambda w: conditions(w["Job"]["docrag-migrate"])["Failed"] == ("True", "BackoffLimitExceeded")
    and pods(w, "docrag-migrate")[0]["status"]["phase"] == "Failed",
    "certificate_expired": lambda w: past(tls(w)["notAfter"]) and conditions({"status": tls(w)})["Ready"][0] == "True",
    "certificate_not_ready": lambda w: conditions({"status": tls(w)})["Ready"] == ("False", "DoesNotExist"),
    "certificate_issuance_failed": lambda w: tls(w)["failedIssuanceAttempts"] == 3
    and conditions(w["CertificateRequest"]["prometheus-tls-2"])["Ready"] == ("False", "Failed"),
    "certificate_without_status": lambda w: "status" not in w["Certificate"]["prometheus-tls"],
    "certificate_not_reloaded": renewed_beside_what_is_served,
}  # fmt: skip
REPORTS = "/apis/aquasecurity.github.io/v1alpha1"
GROUPS = {"cert_manager_absent": "cert-manager.io", "trivy_operator_absent": "aquasecurity.github.io"}
SCANS = {"scan_report_missing", "scan_reports_old", "image_vulnerable", "pod_privileged"}
# seen in metrics, connections, reports or discovery, below
ELSEWHERE = {"memory_near_limit", "cluster_slow", "cluster_refuses", *GROUPS, *SCANS}


def test_every_fault_is_tested():
    assert set(faults.ALL) == set(CONSEQUENCES) | ELSEWHERE


@pytest.mark.parametrize("name", CONSEQUENCES)
def test_on_has_consequences_and_off_leaves_none(stand_in: StandIn, trouble, name: str):
    before = look(stand_in)
    with suppress(KeyError, StopIteration):  # a healthy world lacks what the question is about
        assert not CONSEQUENCES[name](before)
    with trouble(name):
        assert CONSEQUENCES[name](look(stand_in))
    assert look(stand_in) == before


def test_the_service_itself_stays_well(stand_in: StandIn, trouble):
    """Faults act on bystanders: no pod of the API or of a store is touched by any of them."""
    for name in CONSEQUENCES:
        with trouble(name):
            world = look(stand_in, ["/api/v1/pods"])
        for app in ("api", "postgres", "redis", "qdrant"):
            assert all(conditions(pod)["Ready"][0] == "True" for pod in pods(world, app)), (name, app)


def test_faults_stack_and_can_be_taken_back_in_any_order(stand_in: StandIn):
    before = look(stand_in)
    for name in ("crash_loop", "node_not_ready", "hpa_at_limit"):
        stand_in.fault(name, on=True)
    for name in ("node_not_ready", "crash_loop", "hpa_at_limit"):
        stand_in.fault(name, on=False)
    assert look(stand_in) == before


def test_switching_twice_changes_nothing(stand_in: StandIn, trouble):
    with trouble("crash_loop"):
        once = look(stand_in)
        stand_in.fault("crash_loop", on=True)
        assert look(stand_in) == once


def test_a_fault_without_its_victim_is_refused_and_says_why(stand_in: StandIn, trouble):
    with trouble("workload_missing"):
        reply = stand_in.control("POST", "faults/oom_killed", {"on": True})
    assert reply.status == 409
    assert "fluentd" in reply.json()["error"]
    assert not stand_in.control("GET", "faults").json()["oom_killed"]["on"]


def test_an_unknown_fault_is_404_and_lists_the_known(stand_in: StandIn):
    reply = stand_in.control("POST", "faults/nonsense", {"on": True})
    assert (reply.status, "crash_loop" in reply.json()["error"]) == (404, True)


@pytest.mark.parametrize("body", [None, {}, {"on": "yes"}, []])
def test_a_switch_needs_true_or_false(stand_in: StandIn, body: Any):
    assert stand_in.control("POST", "faults/crash_loop", body).status == 400


def test_memory_near_its_limit_shows_in_the_metrics(stand_in: StandIn, trouble):
    def most() -> int:
        listed = stand_in.get(
            f"/apis/metrics.k8s.io/v1beta1/namespaces/{PROD}/pods?labelSelector=app%3Dfluentd"
        )
        return max(int(p["containers"][0]["usage"]["memory"][:-2]) for p in listed.json()["items"])

    limit = 256 * 1024
    assert most() < 0.6 * limit
    with trouble("memory_near_limit"):
        assert 0.95 * limit < most() < limit
    assert most() < 0.6 * limit


def test_a_hanging_api_server_costs_the_client_its_timeout(stand_in: StandIn, trouble):
    core = stand_in.core()
    core.api_client.configuration.retries = False
    with trouble("cluster_slow"):
        started = time.monotonic()
        with pytest.raises((urllib3.exceptions.HTTPError, ApiException)):
            stand_in.core().list_node(_request_timeout=0.3)
        # urllib3 tries four times in all
        assert time.monotonic() - started > 1.0
    assert len(core.list_node().items) == 3


def test_a_refusing_api_server_raises_max_retry_error_and_comes_back(stand_in: StandIn, trouble):
    core = stand_in.core()
    pod = stand_in.pod_name("api")
    assert core.list_node().items  # an open connection must be cut as well
    with trouble("cluster_refuses"):
        with pytest.raises(urllib3.exceptions.MaxRetryError):
            core.list_node()
        with pytest.raises((ApiException, AttributeError)):  # client 36 stumbles over the former's empty body
            stand_in.exec(pod, "true")
    assert len(core.list_node().items) == 3


def test_invented_pods_leave_no_folder_behind(stand_in: StandIn, trouble):
    def folders() -> set[str]:
        return {path.name for path in (stand_in.state / "pods" / PROD).iterdir()}

    before = folders()
    with trouble("stuck_terminating"):
        assert len(folders()) == len(before) + 1
    assert folders() == before


def test_a_single_get_of_a_missing_namespace_is_404(stand_in: StandIn, trouble):
    with trouble("namespace_missing"):
        with suppress(ApiException):
            stand_in.core().read_namespace("doc-rag-security")
            pytest.fail("the namespace is still there")
        assert client.CoreV1Api(stand_in.api()).list_namespaced_pod("doc-rag-security").items == []


@pytest.mark.parametrize("name", GROUPS)
def test_an_operator_that_is_absent_has_no_group_and_answers_404_in_plain_text(
    stand_in: StandIn, trouble, name: str
):
    def groups() -> set[str]:
        return {group["name"] for group in stand_in.get("/apis").json()["groups"]}

    assert GROUPS[name] in groups()
    with trouble(name):
        assert GROUPS[name] not in groups()
        reply = stand_in.get(f"/apis/{GROUPS[name]}/v1/certificates")
    assert (reply.status, reply.text) == (404, "404 page not found\n")


def reports(stand_in: StandIn, kind: str) -> dict[str, Any]:
    listed = stand_in.get(f"{REPORTS}/{kind}").json()["items"]
    return {item["metadata"]["name"].partition("-")[2].partition("-")[0]: item["report"] for item in listed}


def test_a_missing_report_is_that_of_nginx_only(stand_in: StandIn, trouble):
    before = set(reports(stand_in, "vulnerabilityreports"))
    with trouble("scan_report_missing"):
        assert before - set(reports(stand_in, "vulnerabilityreports")) == {"nginx"}
    assert set(reports(stand_in, "vulnerabilityreports")) == before


def test_old_reports_are_days_old_and_fresh_again(stand_in: StandIn, trouble):
    def newest() -> datetime:
        found = reports(stand_in, "vulnerabilityreports") | reports(stand_in, "configauditreports")
        return max(datetime.fromisoformat(one["updateTimestamp"]) for one in found.values())

    with trouble("scan_reports_old"):
        assert newest() < datetime.now(UTC) - timedelta(days=3)
    assert newest() > datetime.now(UTC) - timedelta(hours=4)


def test_bad_findings_stand_in_the_reports_and_their_summaries(stand_in: StandIn, trouble):
    with trouble("image_vulnerable"), trouble("pod_privileged"):
        image = reports(stand_in, "vulnerabilityreports")["nginx"]
        pod = reports(stand_in, "configauditreports")["fluentd"]
    assert [one["severity"] for one in image["vulnerabilities"] if one["fixedVersion"]] == [
        "MEDIUM",
        "CRITICAL",
    ]
    assert (image["summary"]["criticalCount"], pod["summary"]["criticalCount"]) == (2, 1)
