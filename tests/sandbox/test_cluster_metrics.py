"""Usage of nodes, pods and volumes, as metrics-server and the kubelets tell it."""

import os
import re

import pytest
from kubernetes import client
from kubernetes.client.rest import ApiException

from tests.sandbox.cluster_for_tests import PROD, StandIn, why_no_kubectl

needs_kubectl = pytest.mark.skipif(bool(why_no_kubectl()), reason=why_no_kubectl())
METRICS = "/apis/metrics.k8s.io/v1beta1"


def pod_metrics(stand_in: StandIn) -> dict[str, dict]:
    listed = stand_in.get(f"{METRICS}/namespaces/{PROD}/pods").json()
    return {item["metadata"]["name"]: item for item in listed["items"]}


def test_units_are_nanocores_and_kibibytes(stand_in: StandIn):
    used = pod_metrics(stand_in)[stand_in.pod_name("api")]["containers"][0]["usage"]
    assert re.fullmatch(r"\d+n", used["cpu"])
    assert re.fullmatch(r"\d+Ki", used["memory"])


def test_pods_that_do_not_run_are_missing(stand_in: StandIn):
    assert stand_in.pod_name("docrag-migrate") not in pod_metrics(stand_in)
    assert len(pod_metrics(stand_in)) == 12


def test_a_single_get_of_a_pod_that_does_not_run_is_404(stand_in: StandIn):
    reply = stand_in.get(f"{METRICS}/namespaces/{PROD}/pods/{stand_in.pod_name('docrag-migrate')}")
    assert (reply.status, reply.json()["reason"]) == (404, "NotFound")


def test_pods_of_a_lost_node_and_the_node_are_missing(stand_in: StandIn, trouble):
    with trouble("node_not_ready"):
        assert len(pod_metrics(stand_in)) == 10
        nodes = stand_in.get(f"{METRICS}/nodes").json()["items"]
    assert [node["metadata"]["name"] for node in nodes] == ["node-1", "node-2"]


@pytest.mark.parametrize(("fault", "status"), [("metrics_api_absent", 404), ("metrics_api_down", 503)])
def test_trouble_of_the_metrics_api_is_told_in_plain_text(
    stand_in: StandIn, trouble, fault: str, status: int
):
    custom = client.CustomObjectsApi(stand_in.api())
    with trouble(fault):
        with pytest.raises(ApiException) as failed:
            custom.list_namespaced_custom_object("metrics.k8s.io", "v1beta1", PROD, "pods")
        assert (failed.value.status, failed.value.body[0]) != (status, "{")
        assert stand_in.get(f"{METRICS}/nodes").content_type == "text/plain"
        assert stand_in.get("/api/v1/nodes").status == 200


@needs_kubectl
@pytest.mark.parametrize("what", ["nodes", "pods"])
def test_kubectl_top(stand_in: StandIn, what: str):
    done = stand_in.kubectl("top", what, *(["-n", PROD] if what == "pods" else []))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"\d+m +(\d+% +)?\d+Mi", done.stdout)


@needs_kubectl
def test_kubectl_top_without_metrics_api(stand_in: StandIn, trouble):
    with trouble("metrics_api_absent"):
        assert "Metrics API not available" in stand_in.kubectl("top", "nodes").stderr


def exposition(stand_in: StandIn) -> dict[str, float]:
    text = stand_in.control("GET", "metrics").text
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def test_volume_metrics_are_those_of_the_real_folder(stand_in: StandIn):
    labels = f'{{namespace="{PROD}",persistentvolumeclaim="api-storage"}}'
    samples = exposition(stand_in)
    real = os.statvfs(stand_in.folder(stand_in.pod_name("api")) / "rootfs" / "app" / "storage")
    assert samples[f"kubelet_volume_stats_capacity_bytes{labels}"] == real.f_blocks * real.f_frsize
    assert samples[f"kubelet_volume_stats_inodes{labels}"] == real.f_files


def test_cpu_counters_only_grow(stand_in: StandIn):
    first, second = exposition(stand_in), exposition(stand_in)
    counters = [name for name in first if name.startswith("container_cpu_usage_seconds_total")]
    assert counters
    assert all(second[name] >= first[name] for name in counters)


def test_a_pods_own_row_has_no_container_and_no_image(stand_in: StandIn):
    """As cAdvisor's: who sums without `container!=""` counts everything twice."""
    own = [name for name in exposition(stand_in) if 'container="",image=""' in name]
    assert len(own) == 2 * 13
