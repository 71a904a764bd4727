"""Nodes that have just been created."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from docrag_ops.core.cluster.nodes import node_used, not_ready
from docrag_ops.core.measurements import Measurement

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
JOINS = "created 08:55 UTC, joins the cluster"


def node(*, seconds: int, ready: str = "False", **status: Any) -> dict[str, Any]:
    created = (NOW - timedelta(seconds=seconds)).isoformat()
    conditions = [{"type": "Ready", "status": ready, "reason": "KubeletNotReady", "message": "no network"}]
    return {
        "metadata": {"name": "node-4", "creationTimestamp": created},
        "status": {"conditions": conditions, **status},
    }


def readiness(one: dict[str, Any]) -> Measurement:
    (found,) = not_ready([one], NOW)
    return found


def test_node_that_joins_is_not_judged():
    assert readiness(node(seconds=299)).not_judged == JOINS


def test_node_that_has_not_joined_within_five_minutes_is_not_ready():
    found = readiness(node(seconds=300))
    assert (found.value, found.not_judged) == (1, "")


def test_new_node_that_is_ready_is_judged():
    found = readiness(node(seconds=20, ready="True"))
    assert (found.value, found.not_judged) == (0, "")


def test_node_of_unknown_age_is_judged():
    one = node(seconds=20)
    del one["metadata"]["creationTimestamp"]
    assert readiness(one).not_judged == ""


@pytest.mark.parametrize("allocatable", [{}, {"cpu": "4", "memory": "16Gi"}], ids=["none yet", "known"])
@pytest.mark.parametrize("resource", ["cpu", "memory"])
def test_usage_of_a_node_that_joins_is_not_judged(resource: str, allocatable: dict[str, str]):
    (found,) = node_used([node(seconds=299, allocatable=allocatable)], [], resource, NOW)
    assert (found.not_judged, found.problem) == (JOINS, "")


@pytest.mark.parametrize("resource", ["cpu", "memory"])
def test_usage_of_an_older_node_that_is_not_listed_is_a_problem(resource: str):
    known = {"cpu": "4", "memory": "16Gi"}
    (found,) = node_used([node(seconds=300, allocatable=known)], [], resource, NOW)
    assert "does not list this node" in found.problem
