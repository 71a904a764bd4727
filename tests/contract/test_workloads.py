"""A workload's ready pods, by owner references."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from docrag_ops.core.environments import ClusterSection
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.cluster import ClusterHook
from tests.contract.witness import Witness

WORKLOADS = [
    ("Deployment", "api"),
    ("Deployment", "nginx"),
    ("StatefulSet", "qdrant"),
    ("DaemonSet", "fluentd"),
]


@pytest.mark.parametrize(("kind", "name"), WORKLOADS, ids=[name for _, name in WORKLOADS])
def test_ready_pods_are_those_that_the_workload_owns(
    hook: ClusterHook, witness: Witness, lacking: Callable[[str], NoReturn], kind: str, name: str
):
    """Pods may come and go between the three looks."""
    before = witness.ready_pod_names("doc-rag-prod", name)
    found = hook.ready_pods(kind, "doc-rag-prod", name)
    after = witness.ready_pod_names("doc-rag-prod", name)
    names = [pod.name for pod in found]
    assert len(names) == len(set(names))
    assert before & after <= set(names) <= before | after
    assert {pod.namespace for pod in found} <= {"doc-rag-prod"}
    if not names:
        lacking(f"no pod of the {kind} {name} is ready")


def test_every_workload_of_the_environment_is_found(hook: ClusterHook, section: ClusterSection):
    for name, workload in section.workloads.items():
        hook.ready_pods(workload.kind, workload.namespace, name)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_workload_that_does_not_exist_is_no_empty_list(hook: ClusterHook, kind: str):
    with pytest.raises(CouldNotMeasureError, match=f"has no {kind} 'no-such-workload' in 'doc-rag-prod'"):
        hook.ready_pods(kind, "doc-rag-prod", "no-such-workload")
