"""get, list, watch and discovery have the manners of a real API server."""

import json
import ssl
import stat
import time
import urllib.request
from urllib.parse import quote

import pytest
from kubernetes import client

from tests.sandbox.cluster_for_tests import PROD, StandIn, why_no_kubectl

PODS = f"/api/v1/namespaces/{PROD}/pods"
needs_kubectl = pytest.mark.skipif(bool(why_no_kubectl()), reason=why_no_kubectl())


def names(listed: dict) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


def test_kubeconfig_is_for_its_owner_only(stand_in: StandIn):
    assert stat.S_IMODE(stand_in.kubeconfig.stat().st_mode) == 0o600


def test_the_certificate_of_another_authority_is_not_trusted(stand_in: StandIn):
    with pytest.raises(urllib.error.URLError, match="certificate verify failed"):
        urllib.request.urlopen(
            f"https://127.0.0.1:{stand_in.port}/version", context=ssl.create_default_context(), timeout=5
        )


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_a_valid_token_it_answers_401(stand_in: StandIn, token: str):
    reply = stand_in.get("/api/v1/pods", token=token)
    assert (reply.status, reply.json()["reason"]) == (401, "Unauthorized")


def test_a_reader_may_not_read_secrets(stand_in: StandIn):
    reply = stand_in.get(f"/api/v1/namespaces/{PROD}/secrets", token=stand_in.token("reader"))
    assert reply.status == 403
    assert reply.json()["message"] == (
        'secrets is forbidden: User "system:serviceaccount:doc-rag-prod:docrag-reader" cannot list resource '
        '"secrets" in API group "" in the namespace "doc-rag-prod"'
    )


def test_a_reader_may_read_pods(stand_in: StandIn):
    assert stand_in.core("reader").list_namespaced_pod(PROD).items


def test_a_namespace_that_does_not_exist_lists_as_empty(stand_in: StandIn):
    assert stand_in.core().list_namespaced_pod("no-such-namespace").items == []


def test_a_namespace_that_does_not_exist_is_404_when_asked_for_itself(stand_in: StandIn):
    reply = stand_in.get("/api/v1/namespaces/no-such-namespace")
    assert reply.status == 404
    assert reply.json()["message"] == 'namespaces "no-such-namespace" not found'


def test_an_object_that_does_not_exist_is_named_with_its_group(stand_in: StandIn):
    reply = stand_in.get(f"/apis/apps/v1/namespaces/{PROD}/deployments/fluentd")
    assert reply.json()["details"] == {"name": "fluentd", "group": "apps", "kind": "deployments"}
    assert reply.json()["message"] == 'deployments.apps "fluentd" not found'


@pytest.mark.parametrize(
    "group", ["snapshot.storage.k8s.io/v1/volumesnapshots", "aquasecurity.github.io/v1alpha1/x"]
)
def test_an_absent_custom_resource_is_404_in_plain_text(stand_in: StandIn, group: str):
    reply = stand_in.get(f"/apis/{group}")
    assert (reply.status, reply.text, reply.content_type) == (404, "404 page not found\n", "text/plain")


def test_list_items_carry_no_kind_and_single_objects_do(stand_in: StandIn):
    listed = stand_in.get(PODS).json()
    assert listed["kind"] == "PodList"
    assert "kind" not in listed["items"][0]
    assert stand_in.get(f"{PODS}/{names(listed)[0]}").json()["kind"] == "Pod"


def test_pages_hold_every_pod_once(stand_in: StandIn):
    pages, token = [], ""
    while True:
        page = stand_in.get(f"{PODS}?limit=4&continue={token}").json()
        pages.append(page)
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert [name for page in pages for name in names(page)] == names(stand_in.get(PODS).json())
    assert pages[0]["metadata"]["remainingItemCount"] == 9
    assert {page["metadata"]["resourceVersion"] for page in pages} == {
        pages[0]["metadata"]["resourceVersion"]
    }


def test_a_later_page_shows_the_past(stand_in: StandIn, trouble):
    """Pages of one list are consistent, whatever happened in between."""
    first = stand_in.get(f"{PODS}?limit=4").json()
    everything = names(stand_in.get(PODS).json())
    with trouble("workload_missing"):
        rest = stand_in.get(f"{PODS}?limit=100&continue={first['metadata']['continue']}").json()
    assert names(first) + names(rest) == everything


def test_an_expired_token_is_410_and_offers_an_inconsistent_rest(stand_in: StandIn):
    first = stand_in.get(f"{PODS}?limit=4").json()
    stand_in.control("POST", "compact")
    reply = stand_in.get(f"{PODS}?limit=4&continue={first['metadata']['continue']}")
    assert (reply.status, reply.json()["reason"]) == (410, "Expired")
    rest = stand_in.get(f"{PODS}?limit=100&continue={reply.json()['metadata']['continue']}").json()
    assert names(first) + names(rest) == names(stand_in.get(PODS).json())


@pytest.mark.parametrize(
    "query", ["continue=nonsense", "limit=many", "fieldSelector=status.reason%3DEvicted"]
)
def test_a_bad_parameter_is_400(stand_in: StandIn, query: str):
    reply = stand_in.get(f"{PODS}?{query}")
    assert (reply.status, reply.json()["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("app=api", 3),
        ("app==nginx", 2),
        ("app!=api", 10),
        ("app in (api, nginx)", 5),
        ("app notin (api,nginx,fluentd)", 5),
        ("pod-template-hash", 8),
        ("!pod-template-hash", 5),
        ("app=api,pod-template-hash", 3),
    ],
)
def test_label_selectors(stand_in: StandIn, selector: str, count: int):
    assert len(names(stand_in.get(f"{PODS}?labelSelector={quote(selector)}").json())) == count


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("status.phase=Running", 12),
        ("status.phase!=Running", 1),
        ("spec.nodeName=node-3,status.phase=Running", 2),
    ],
)
def test_field_selectors(stand_in: StandIn, selector: str, count: int):
    assert len(names(stand_in.get(f"{PODS}?fieldSelector={quote(selector)}").json())) == count


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_is_not_served_yet_is_405(stand_in: StandIn, method: str):
    assert stand_in.get(PODS, method=method).status == 405


def test_a_resource_version_from_the_future_is_504(stand_in: StandIn):
    assert stand_in.get(f"{PODS}?resourceVersion=9999999999999999").status == 504


def test_only_what_changes_gets_a_new_resource_version(stand_in: StandIn, trouble):
    def versions() -> dict[str, str]:
        listed = stand_in.get(PODS).json()["items"]
        return {pod["metadata"]["name"]: pod["metadata"]["resourceVersion"] for pod in listed}

    before = versions()
    with trouble("pod_not_ready"):
        during = versions()
    assert {name.split("-")[0] for name in before if before[name] != during[name]} == {"nginx"}


def test_a_watch_tells_what_a_fault_changes(stand_in: StandIn, trouble):
    version = stand_in.get(PODS).json()["metadata"]["resourceVersion"]
    with trouble("workload_missing"):
        pass
    reply = stand_in.get(f"{PODS}?watch=1&timeoutSeconds=1&resourceVersion={version}")
    events = [json.loads(line) for line in reply.text.splitlines()]
    assert [event["type"] for event in events] == ["DELETED"] * 3 + ["ADDED"] * 3
    assert events[0]["object"]["kind"] == "Pod"


def test_a_watch_from_a_forgotten_past_gets_an_error_event(stand_in: StandIn):
    reply = stand_in.get(f"{PODS}?watch=1&timeoutSeconds=1&resourceVersion=1")
    event = json.loads(reply.text)
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


def test_owner_references_lead_from_the_pod_to_its_deployment(stand_in: StandIn):
    apps = client.AppsV1Api(stand_in.api())
    pod = stand_in.core().read_namespaced_pod(stand_in.pod_name("api"), PROD)
    replica_set = apps.read_namespaced_replica_set(pod.metadata.owner_references[0].name, PROD)
    owner = replica_set.metadata.owner_references[0]
    assert (owner.kind, owner.name, owner.controller) == ("Deployment", "api", True)
    assert apps.read_namespaced_deployment("api", PROD).metadata.uid == owner.uid


def test_a_pod_has_the_shape_of_a_real_one(stand_in: StandIn):
    pod = stand_in.core().read_namespaced_pod(stand_in.pod_name("postgres"), PROD)
    assert pod.status.qos_class == "Burstable"
    assert {c.type for c in pod.status.conditions} >= {"Ready", "PodScheduled", "Initialized"}
    assert pod.metadata.managed_fields[1].subresource == "status"
    assert pod.status.container_statuses[0].container_id.startswith("containerd://")


def test_a_job_that_has_run_keeps_its_succeeded_pod(stand_in: StandIn):
    pod = stand_in.core().list_namespaced_pod(PROD, label_selector="job-name=docrag-migrate").items[0]
    assert (pod.status.phase, pod.status.container_statuses[0].ready) == ("Succeeded", False)
    job = client.BatchV1Api(stand_in.api()).read_namespaced_job("docrag-migrate", PROD)
    assert job.status.succeeded == 1


def test_nodes_report_all_the_time(stand_in: StandIn):
    node = stand_in.core().read_node("node-1")
    heartbeat = next(c for c in node.status.conditions if c.type == "Ready").last_heartbeat_time
    assert time.time() - heartbeat.timestamp() < 120


def test_a_quiet_autoscaler_rests_at_its_minimum_and_says_limited(stand_in: StandIn):
    """ScalingLimited=True with TooFewReplicas is how a healthy HPA looks at night; it is no trouble."""
    scaler = client.AutoscalingV2Api(stand_in.api()).read_namespaced_horizontal_pod_autoscaler(
        "api-hpa", PROD
    )
    limited = next(c for c in scaler.status.conditions if c.type == "ScalingLimited")
    assert (limited.status, limited.reason) == ("True", "TooFewReplicas")
    assert limited.last_transition_time is not None
    assert scaler.status.current_metrics[0].resource.current.average_utilization < 70


@needs_kubectl
@pytest.mark.parametrize(
    "what",
    ["pods", "nodes", "deploy", "sts", "ds", "rs", "jobs", "svc", "endpointslices", "cm", "pvc", "hpa", "ns"],
)
def test_kubectl_gets(stand_in: StandIn, what: str):
    done = stand_in.kubectl("get", what, "-A", "-o", "wide")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 1


@needs_kubectl
def test_kubectl_get_shows_the_usual_columns(stand_in: StandIn):
    done = stand_in.kubectl("get", "pods", "-n", PROD, "-l", "app=nginx")
    assert done.stdout.splitlines()[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert done.stdout.splitlines()[1].split()[1:4] == ["1/1", "Running", "0"]


@needs_kubectl
@pytest.mark.parametrize("what", ["pod", "node", "deploy", "sts", "ds", "svc", "pvc", "hpa", "job"])
def test_kubectl_describes(stand_in: StandIn, what: str):
    done = stand_in.kubectl("describe", what, "-A" if what != "node" else "node-1")
    assert (done.returncode, done.stderr) == (0, "")


@needs_kubectl
def test_kubectl_lists_what_the_api_offers(stand_in: StandIn):
    done = stand_in.kubectl("api-resources", "-o", "name")
    assert {"pods", "deployments.apps", "endpointslices.discovery.k8s.io", "pods.metrics.k8s.io"} <= set(
        done.stdout.split()
    )


@needs_kubectl
def test_kubectl_pages_through_a_list(stand_in: StandIn):
    done = stand_in.kubectl("get", "pods", "-A", "--chunk-size=3", "-o", "name")
    assert len(done.stdout.split()) == 14
