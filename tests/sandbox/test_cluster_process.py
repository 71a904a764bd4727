"""The stand-in as a process: quick to start and stop, small, the same after a restart; and its seed."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.sandbox.cluster_for_tests import MANIFESTS, PROD, REPOSITORY, StandIn

PODS = f"/api/v1/namespaces/{PROD}/pods"


def names(stand_in: StandIn) -> list[str]:
    return [pod["metadata"]["name"] for pod in stand_in.get(PODS).json()["items"]]


def test_five_thousand_pods_cost_little(tmp_path: Path):
    crowded = StandIn(tmp_path)
    try:
        crowded.control("POST", "pods", {"count": 5000, "namespace": PROD})
        before = crowded.cpu_seconds()
        listed = crowded.get(PODS, timeout=60)
        spent = crowded.cpu_seconds() - before
        began = time.process_time()
        pods = listed.json()["items"]
        parsing = time.process_time() - began
        assert len(pods) == 5013
        assert spent < 5 * parsing  # to answer costs about as much as to read the answer
        assert 8_000 < len(listed.text) / len(pods) < 10_500
        assert len({pod["metadata"]["uid"] for pod in pods}) == len({pod["status"]["podIP"] for pod in pods})
        assert crowded.memory_bytes("VmHWM") < 150 * 2**20
        crowded.control("DELETE", "pods")
        assert len(names(crowded)) == 13
    finally:
        crowded.stop()


def test_synthetic_pods_have_an_owner_a_node_and_metrics(tmp_path: Path):
    crowded = StandIn(tmp_path, "--extra-pods", "120")
    try:
        pod = next(
            p for p in crowded.get(PODS).json()["items"] if p["metadata"]["labels"]["app"] == "synthetic"
        )
        owner = pod["metadata"]["ownerReferences"][0]["name"]
        found = crowded.get(f"/apis/apps/v1/namespaces/{PROD}/replicasets/{owner}").json()
        assert found["metadata"]["ownerReferences"][0]["name"] == "synthetic"
        assert crowded.get(f"/api/v1/nodes/{pod['spec']['nodeName']}").status == 200
        usage = crowded.get(f"/apis/metrics.k8s.io/v1beta1/namespaces/{PROD}/pods/{pod['metadata']['name']}")
        assert usage.json()["containers"][0]["name"] == "worker"
        assert crowded.get(f"/apis/apps/v1/namespaces/{PROD}/daemonsets/fluentd").json()["status"][
            "desiredNumberScheduled"] == 3  # fmt: skip
    finally:
        crowded.stop()


def test_a_restart_keeps_pods_ages_tokens_and_certificates(tmp_path: Path):
    first = StandIn(tmp_path)
    pods, token, authority = (
        first.get(PODS).json()["items"],
        first.token(),
        (tmp_path / "cluster/ca.crt").read_bytes(),
    )
    assert first.stop() == ""
    second = StandIn(tmp_path)
    try:
        again = second.get(PODS).json()["items"]
        assert second.token() == token
        assert (tmp_path / "cluster/ca.crt").read_bytes() == authority
        assert [p["metadata"]["uid"] for p in again] == [p["metadata"]["uid"] for p in pods]
        assert again[0]["metadata"]["creationTimestamp"] == pods[0]["metadata"]["creationTimestamp"]
        assert int(again[0]["metadata"]["resourceVersion"]) > int(pods[0]["metadata"]["resourceVersion"])
    finally:
        second.stop()


def test_it_starts_and_stops_at_once(tmp_path: Path):
    running = StandIn(tmp_path)
    assert running.get("/version").status == 200
    assert running.cpu_seconds() < 5
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=30) == 0
    running.stop()


def test_stopping_ends_the_commands_that_still_run(tmp_path: Path):
    running = StandIn(tmp_path)
    seconds = "86398.25"
    argv = [sys.executable, "-c", EXEC, str(running.kubeconfig), running.pod_name("api"), seconds]
    caller = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert any(_sleeps(seconds) or time.sleep(0.1) for _ in range(300))
        running.stop()
        assert any(not _sleeps(seconds) or time.sleep(0.1) for _ in range(300))
    finally:
        caller.kill()
        caller.wait()
        running.stop()


EXEC = """
import sys
from kubernetes import client, config
from kubernetes.stream import stream
api = client.CoreV1Api(config.new_client_from_config(sys.argv[1]))
stream(api.connect_get_namespaced_pod_exec, sys.argv[2], "doc-rag-prod", command=["sleep", sys.argv[3]],
       stdout=True, stderr=True, stdin=False, tty=False)
"""


def _sleeps(seconds: str) -> bool:
    listed = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True, timeout=10
    ).stdout
    return any(line.startswith(f"sleep {seconds}") for line in listed.splitlines())


def test_a_busy_port_is_named_with_the_setting_that_moves_it(stand_in: StandIn, tmp_path: Path):
    argv = [
        sys.executable,
        "-m",
        "tests.sandbox.cluster",
        "--port",
        str(stand_in.port),
        "--state",
        str(tmp_path),
    ]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 1
    assert str(stand_in.port) in done.stderr
    assert "SANDBOX_KUBERNETES_PORT" in done.stderr
    assert not (tmp_path / "kubeconfig").exists()


@pytest.mark.parametrize(
    ("content", "said"), [("a: [", "is not YAML"), ("kind: Pod", "expected a manifest with apiVersion")]
)
def test_a_bad_manifest_is_named(tmp_path: Path, content: str, said: str):
    shutil.copytree(MANIFESTS, tmp_path / "manifests")
    (tmp_path / "manifests" / "bad.yaml").write_text(content)
    with pytest.raises(AssertionError) as failed:
        StandIn(tmp_path / "state", manifests=tmp_path / "manifests")
    assert "bad.yaml" in str(failed.value)
    assert said in str(failed.value)


def test_custom_resources_come_from_manifests(tmp_path: Path):
    shutil.copytree(MANIFESTS, tmp_path / "manifests")
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "certificates.cert-manager.io"},
        "spec": {"group": "cert-manager.io", "scope": "Namespaced", "names": {"plural": "certificates",
                 "kind": "Certificate"}, "versions": [{"name": "v1", "served": True, "storage": True}]},
    }  # fmt: skip
    certificate = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
                   "metadata": {"name": "api-tls", "namespace": PROD}, "spec": {"secretName": "api-tls"}}  # fmt: skip
    (tmp_path / "manifests" / "0-crd.yaml").write_text(yaml.safe_dump_all([definition, certificate]))
    running = StandIn(tmp_path / "state", manifests=tmp_path / "manifests")
    try:
        listed = running.get(f"/apis/cert-manager.io/v1/namespaces/{PROD}/certificates").json()
        assert listed["kind"] == "CertificateList"
        assert listed["items"][0]["kind"] == "Certificate"
        assert "status" not in listed["items"][0]
    finally:
        running.stop()


def test_the_manifests_name_what_the_platform_needs():
    documents = [d for path in MANIFESTS.glob("*.yaml") for d in yaml.safe_load_all(path.read_text()) if d]
    for document in documents:
        for container in document.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ()):
            assert {"requests", "limits"} <= container["resources"].keys(), container["name"]
    claims = {d["metadata"]["name"] for d in documents if d["kind"] == "PersistentVolumeClaim"}
    assert claims == {"api-storage", "postgres-data", "qdrant-data", "redis-data"}
