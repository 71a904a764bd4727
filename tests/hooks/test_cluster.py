"""The Kubernetes API on bad days."""

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest

from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.hooks import pod_commands
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.pod_commands import PodName
from tests.hooks.bad_servers import HTML, LIMIT_SECONDS, NO_ANSWER, answers, hangs, port_that_refuses, serving

PODS = "/api/v1/namespaces/doc-rag-prod/pods"
Point = Callable[[int], None]


def names(kubeconfig: Point, port: int) -> list[str]:
    kubeconfig(port)
    return ClusterHook().list_items(PODS, lambda item: str(item["metadata"]["name"]))


def error_of(action: Callable[[], object]) -> str:
    with pytest.raises(CouldNotMeasureError) as caught:
        action()
    return str(caught.value)


def status_body(code: int, message: str) -> dict:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_server_that_does_not_answer_is_unreachable_and_named(kubeconfig: Point, behaviour):
    with serving(behaviour) as server:
        kubeconfig(server.port)
        with pytest.raises(
            UnreachableError, match=rf"at http://127.0.0.1:{server.port} \(docrag_kubernetes\)"
        ):
            ClusterHook().get("/api/v1/namespaces/x")


def test_server_that_hangs_costs_its_time_limit_once(kubeconfig: Point):
    with serving(hangs) as server:
        kubeconfig(server.port)
        hook = ClusterHook()
        error_of(lambda: hook.get("/warm"))
        started = time.monotonic()
        error_of(lambda: hook.get("/api/v1/namespaces/x"))
        assert time.monotonic() - started < LIMIT_SECONDS
        assert server.asked == 2


def test_server_that_refuses_is_unreachable(kubeconfig: Point):
    assert "Connection refused" in error_of(lambda: names(kubeconfig, port_that_refuses()))


def test_token_does_not_show_in_errors(kubeconfig: Point):
    assert "very-secret" not in error_of(lambda: names(kubeconfig, port_that_refuses()))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, "404 page not found\n", "HTTP 404: '404 page not found'"),
        (503, "service unavailable\n", "HTTP 503: 'service unavailable'"),
        (403, status_body(403, 'pods is forbidden: User "x" cannot list'), "HTTP 403: 'pods is forbidden"),
        (401, status_body(401, "Unauthorized"), "HTTP 401: 'Unauthorized'"),
        (502, HTML, "HTTP 502: '<html>"),
        (200, HTML, "with no JSON: b'<html>"),
        (200, "[]", "with no object: b'[]'"),
        (200, "", "with no JSON: b''"),
    ],
)
def test_answer_that_is_no_list_is_told_as_it_is(kubeconfig: Point, status: int, body, words: str):
    with serving(answers(status, body)) as server:
        assert words in error_of(lambda: names(kubeconfig, server.port))


def test_object_that_does_not_exist_is_none(kubeconfig: Point):
    with serving(answers(404, status_body(404, 'namespaces "x" not found'))) as server:
        kubeconfig(server.port)
        assert ClusterHook().get("/api/v1/namespaces/x") is None


def test_api_that_does_not_exist_is_not_an_object_that_does_not(kubeconfig: Point):
    with serving(answers(404, "404 page not found\n")) as server:
        kubeconfig(server.port)
        assert "404 page not found" in error_of(lambda: ClusterHook().get("/apis/none/v1/x"))


def test_list_without_items_is_empty(kubeconfig: Point):
    with serving(answers(200, {"kind": "PodList", "metadata": {}, "items": None})) as server:
        assert names(kubeconfig, server.port) == []


class Pages:
    """A list in pages; each page is forgotten (410) as often as `expires` says."""

    def __init__(self, *, expires: int) -> None:
        self.expires = expires

    def __call__(self, connection: socket.socket, over: threading.Event) -> None:
        page = {"metadata": {"continue": "token-2"}, "items": [{"metadata": {"name": "a"}}]}
        if self.turn(connection) % 2 == 0:
            if self.expires:
                self.expires -= 1
                answers(410, status_body(410, "The provided continue parameter is too old"))(connection, over)
                return
            page = {"metadata": {}, "items": [{"metadata": {"name": "b"}}]}
        answers(200, page)(connection, over)

    asked = 0

    def turn(self, connection: socket.socket) -> int:
        self.asked += 1
        return self.asked


def test_pages_of_a_list_are_read_to_the_end(kubeconfig: Point):
    with serving(Pages(expires=0)) as server:
        assert names(kubeconfig, server.port) == ["a", "b"]


def test_list_that_expired_between_two_pages_is_begun_again(kubeconfig: Point):
    with serving(Pages(expires=2)) as server:
        assert names(kubeconfig, server.port) == ["a", "b"]


def test_list_that_always_expires_is_given_up(kubeconfig: Point):
    with serving(Pages(expires=9)) as server:
        assert "expire three times" in error_of(lambda: names(kubeconfig, server.port))


def ready(name: str, owner: str, **meta) -> dict:
    metadata = {
        "uid": f"uid-{name}",
        "name": name,
        "ownerReferences": [{"uid": owner, "controller": True}],
        **meta,
    }
    return {"metadata": metadata, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}


def test_pods_of_a_deployment_are_found_by_their_owners(kubeconfig: Point, monkeypatch: pytest.MonkeyPatch):
    base = "/apis/apps/v1/namespaces/doc-rag-prod"
    known = {
        f"{base}/deployments/api": {"metadata": {"uid": "d"}},
        f"{base}/replicasets": {"items": [ready("old", "other"), ready("new", "d")]},
        PODS: {
            "items": [
                ready("api-1", "uid-new"),
                ready("api-2", "uid-new", deletionTimestamp="2026-07-01T09:00:00Z"),
                ready("same-label", "uid-old"),
                {
                    "metadata": {
                        "uid": "u",
                        "name": "api-3",
                        "ownerReferences": [{"uid": "uid-new", "controller": True}],
                    }
                },
            ]
        },
    }
    monkeypatch.setattr(
        ClusterHook, "_ask", lambda self, path, query: (200, json.dumps(known[path]).encode())
    )
    assert ClusterHook().ready_pods("Deployment", "doc-rag-prod", "api") == [PodName("doc-rag-prod", "api-1")]


def test_pods_of_a_workload_that_does_not_exist_cannot_be_asked(kubeconfig: Point):
    with serving(answers(404, status_body(404, 'deployments.apps "api" not found'))) as server:
        kubeconfig(server.port)
        text = error_of(lambda: ClusterHook().ready_pods("Deployment", "doc-rag-prod", "api"))
        assert text.endswith("has no Deployment 'api' in 'doc-rag-prod'")


@pytest.mark.parametrize("behaviour", [*NO_ANSWER, answers(403, status_body(403, "forbidden"))], ids=str)
def test_exec_that_is_not_answered_is_bounded(kubeconfig: Point, behaviour, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pod_commands, "HANDSHAKE_SECONDS", 0.3)
    with serving(behaviour) as server:
        kubeconfig(server.port)
        started = time.monotonic()
        pod = PodName("doc-rag-prod", "api-1")
        text = error_of(lambda: ClusterHook().run(pod, "api", ["df", "-P"], seconds=0.3))
        assert text.startswith("Cannot run ['df', '-P'] in doc-rag-prod/api-1, container 'api': ")
        assert time.monotonic() - started < LIMIT_SECONDS


def test_api_groups_are_listed(kubeconfig: Point):
    body = {"kind": "APIGroupList", "groups": [{"name": "apps"}, {"name": "cert-manager.io"}]}
    with serving(answers(200, body)) as server:
        kubeconfig(server.port)
        assert ClusterHook().api_groups() == {"apps", "cert-manager.io"}


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(200, HTML, content_type="text/html"),
        answers(404, HTML, content_type="text/html"),
        answers(404, status_body(404, "not found")),
        answers(200, {"kind": "Status", "status": "Success"}),
    ],
    ids=["html", "wrong address", "status", "other"],
)
def test_answer_that_lists_no_groups_is_not_that_there_are_none(kubeconfig: Point, behaviour):
    with serving(behaviour) as server:
        kubeconfig(server.port)
        error_of(lambda: ClusterHook().api_groups())


def pod(name: str, phase: str, ready: str) -> dict:
    owner = {"kind": "DaemonSet", "name": "fluentd", "uid": "set-1", "controller": True}
    conditions = [{"type": "Ready", "status": ready}]
    return {
        "metadata": {"uid": name, "name": name, "ownerReferences": [owner]},
        "status": {"phase": phase, "conditions": conditions},
    }


def test_evicted_pods_are_none_of_a_workloads(monkeypatch: pytest.MonkeyPatch):
    pods = [pod("left", "Failed", "False"), pod("new", "Running", "True"), pod("starts", "Pending", "False")]
    bodies = {"/daemonsets/fluentd": {"metadata": {"uid": "set-1"}}, "/pods": {"items": pods}}

    def ask(hook: ClusterHook, path: str, query: object) -> tuple[int, bytes]:
        return 200, json.dumps(next(body for end, body in bodies.items() if path.endswith(end))).encode()

    monkeypatch.setattr(ClusterHook, "_ask", ask)
    found = ClusterHook().pods_of("DaemonSet", "doc-rag-prod", "fluentd")
    assert [(one.name, ready) for one, ready in found] == [("new", True), ("starts", False)]
