"""Facts of API objects, as sparse as the API may send them."""

from docrag_ops.core.cluster.facts import pod_facts, pod_usage_facts, workload_facts

META = {"namespace": "doc-rag-prod", "name": "api-1", "uid": "u"}
SPEC = {"containers": [{"name": "api"}]}


def test_pod_without_a_status_is_unknown_and_not_ready():
    pod = pod_facts({"metadata": META, "spec": SPEC})
    assert (pod.phase, pod.ready, pod.containers[0].ready) == ("Unknown", False, False)


def test_pending_pod_without_container_statuses_has_its_containers():
    conditions = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"}
    ]
    pod = pod_facts(
        {"metadata": META, "spec": SPEC, "status": {"phase": "Pending", "conditions": conditions}}
    )
    assert [container.name for container in pod.containers] == ["api"]
    assert (pod.unscheduled_reason, pod.unscheduled_message) == ("Unschedulable", "no room")


def test_nulls_are_read_as_nothing():
    status = {"phase": "Running", "conditions": None, "containerStatuses": None, "reason": None}
    pod = pod_facts({"metadata": {**META, "ownerReferences": None}, "spec": SPEC, "status": status})
    assert (pod.owner_kind, pod.reason, pod.ready) == ("", "", False)


def test_owner_is_the_one_that_controls():
    owners = [{"kind": "ConfigMap", "name": "a"}, {"kind": "Job", "name": "b", "controller": True}]
    assert pod_facts({"metadata": {**META, "ownerReferences": owners}, "spec": SPEC}).owner_kind == "Job"


def test_container_without_limits_has_none():
    container = pod_facts(
        {"metadata": META, "spec": {"containers": [{"name": "api", "resources": {}}]}}
    ).containers[0]
    assert (container.cpu_limit_cores, container.memory_limit_bytes) == (None, None)


def test_deployment_at_zero_replicas_has_counts():
    workload = workload_facts("Deployment", {"metadata": META, "spec": {"replicas": 0}, "status": {}})
    assert (workload.desired, workload.ready, workload.updated) == (0, 0, 0)


def test_deployment_without_replicas_wants_one():
    assert workload_facts("Deployment", {"metadata": META, "spec": {}}).desired == 1


def test_daemonset_wants_what_its_nodes_need():
    status = {"desiredNumberScheduled": 3, "numberReady": 2, "updatedNumberScheduled": 3}
    workload = workload_facts("DaemonSet", {"metadata": META, "spec": {}, "status": status})
    assert (workload.desired, workload.ready, workload.updated) == (3, 2, 3)


def test_pod_metrics_without_containers_are_nothing():
    assert pod_usage_facts({"metadata": META, "containers": None}) == ()
