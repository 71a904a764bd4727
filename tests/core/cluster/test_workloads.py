"""What holds a workload's last change back."""

from datetime import UTC, datetime
from typing import Any

from docrag_ops.core.cluster.facts import workload_facts
from docrag_ops.core.cluster.workloads import stale_rollouts

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
META = {"namespace": "doc-rag-prod", "name": "api", "generation": 2}
ON_DELETE = {"type": "OnDelete"}
REVISIONS = {"currentRevision": "api-1", "updateRevision": "api-2"}


def trouble(kind: str, spec: dict[str, Any], **status: Any) -> str:
    workload = {
        "metadata": META,
        "spec": {"replicas": 3, **spec},
        "status": {"observedGeneration": 2, **status},
    }
    (found,) = stale_rollouts([workload_facts(kind, workload)], NOW)
    assert found.value == int(bool(found.evidence))
    return found.evidence


def test_paused_deployment_with_older_pods_is_not_carried_out():
    told = trouble("Deployment", {"paused": True}, replicas=3, updatedReplicas=1)
    assert told == "paused: 1 of 3 pods have the last change"


def test_paused_deployment_with_all_pods_updated_is_carried_out():
    assert trouble("Deployment", {"paused": True}, replicas=3, updatedReplicas=3) == ""


def test_pods_that_a_paused_deployment_still_gets_are_no_older_ones():
    assert trouble("Deployment", {"paused": True}, replicas=2, updatedReplicas=2) == ""


def test_deployment_that_rolls_is_given_its_deadline():
    assert trouble("Deployment", {}, replicas=3, updatedReplicas=1) == ""


def test_daemonset_on_delete_with_older_pods_is_not_carried_out():
    counts = {"desiredNumberScheduled": 3, "currentNumberScheduled": 3}
    assert "OnDelete: 0 of 3" in trouble("DaemonSet", {"updateStrategy": ON_DELETE}, **counts)


def test_statefulset_on_delete_with_older_pods_is_not_carried_out():
    counts = {"replicas": 3, "updatedReplicas": 2}
    assert "OnDelete: 2 of 3" in trouble("StatefulSet", {"updateStrategy": ON_DELETE}, **counts, **REVISIONS)


def test_statefulset_at_one_revision_is_carried_out_whatever_its_counts_say():
    same = {"currentRevision": "api-1", "updateRevision": "api-1"}
    assert trouble("StatefulSet", {"updateStrategy": ON_DELETE}, replicas=3, **same) == ""


def test_partition_of_a_statefulset_is_no_trouble():
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    counts = {"replicas": 3, "updatedReplicas": 1}
    assert trouble("StatefulSet", {"updateStrategy": rolling}, **counts, **REVISIONS) == ""
