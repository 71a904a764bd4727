"""A Kubernetes cluster: raw JSON in pages, and commands inside pods.

The typed client costs four times the memory of raw JSON on large namespaces, so lists are read as they come.
Manners of the real API that shape this file are in the docstrings of the methods.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Facts = TypeVar("Facts")

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0
EXEC_SECONDS = 30.0
PAGE_ITEMS = 250
EXPIRED = 410


@dataclass(frozen=True)
class CommandResult:
    """What a command in a pod came to. An exit code other than 0 is a result, not an error."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class PodName:
    """A pod, by namespace and name."""

    namespace: str
    name: str


class ClusterHook(BaseHook):
    """Reads a cluster by a Connection of type `kubernetes`, through the provider's KubernetesHook."""

    def __init__(self, conn_id: str = "docrag_kubernetes") -> None:
        super().__init__()
        self.conn_id = conn_id

    def list_items(
        self,
        path: str,
        to_facts: Callable[[Mapping[str, Any]], Facts],
        *,
        query: Sequence[tuple[str, str]] = (),
    ) -> list[Facts]:
        """Facts of all items of a list, read page by page; a list that changed too much is begun again.

        :param path: such as `/api/v1/namespaces/doc-rag-prod/pods`. A namespace that does not exist lists as
            empty, without an error: ask for the namespace first.
        """
        for _ in range(3):
            try:
                return [to_facts(item) for page in self._pages(path, query) for item in page]
            except _ExpiredListError:
                self.log.info("The list %s expired between two pages; reading it again", path)
        raise CouldNotMeasureError(f"{self._who} let the list {path} expire three times between two pages")

    def get(self, path: str) -> dict[str, Any] | None:
        """One object as JSON; None when it does not exist.

        :raises CouldNotMeasureError: for any other answer than 200 and 404 of the object itself.
        """
        status, body = self._ask(path, ())
        if status == 404 and body.lstrip().startswith(b"{"):
            return None
        return self._json(path, status, body)

    def _pages(self, path: str, query: Sequence[tuple[str, str]]) -> Iterator[list[dict[str, Any]]]:
        token = ""
        while True:
            more = [("continue", token)] if token else []
            status, body = self._ask(path, [*query, ("limit", str(PAGE_ITEMS)), *more])
            if status == EXPIRED:
                raise _ExpiredListError(path)
            page = self._json(path, status, body)
            yield page.get("items") or []
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    def _json(self, path: str, status: int, body: bytes) -> dict[str, Any]:
        """An absent API answers 404, a broken one 503, both in plain text: the status is looked at first."""
        if status != 200:
            raise CouldNotMeasureError(f"{self._who} answered {path} with HTTP {status}: {_message(body)!r}")
        try:
            data = json.loads(body)
        except ValueError as error:
            raise CouldNotMeasureError(f"{self._who} answered {path} with no JSON: {body[:200]!r}") from error
        if not isinstance(data, dict):
            raise CouldNotMeasureError(f"{self._who} answered {path} with no object: {body[:200]!r}")
        return data

    def _ask(self, path: str, query: Sequence[tuple[str, str]]) -> tuple[int, bytes]:
        """Status and body. When nobody answers, the client raises urllib3's errors, not ApiException."""
        import urllib3
        from kubernetes.client import ApiException

        try:
            response = self._client.call_api(
                path,
                "GET",
                query_params=list(query),
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
            return response.status, response.data
        except ApiException as error:
            return error.status, (error.body or "").encode() if isinstance(
                error.body, str
            ) else error.body or b""
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise UnreachableError(f"{self._who} did not answer {path}: {cause}") from error

    @property
    def _who(self) -> str:
        return f"The Kubernetes API at {self._client.configuration.host} ({self.conn_id})"

    @cached_property
    def _client(self) -> ApiClient:
        return self._new_client()

    def _new_client(self) -> ApiClient:
        """A client that does not retry by itself: urllib3's three retries make a hanging server four times as slow."""
        from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
        from urllib3.util import Retry

        client: ApiClient = KubernetesHook(conn_id=self.conn_id).get_conn()
        client.rest_client.pool_manager.connection_pool_kw["retries"] = Retry(
            connect=1, read=0, backoff_factor=0.2
        )
        return client

    def ready_pods(self, kind: str, namespace: str, name: str) -> list[PodName]:
        """The ready pods that belong to a workload, followed by owner references.

        Labels would not do: `app=api` may match the pods of two Deployments.

        :raises CouldNotMeasureError: when the workload does not exist.
        """
        plural = f"{kind.lower()}s"
        workload = self.get(f"/apis/apps/v1/namespaces/{namespace}/{plural}/{name}")
        if workload is None:
            raise CouldNotMeasureError(f"{self._who} has no {kind} {name!r} in {namespace!r}")
        owners = {workload["metadata"]["uid"]}
        if kind == "Deployment":
            sets = self.list_items(f"/apis/apps/v1/namespaces/{namespace}/replicasets", _ownership)
            owners = {uid for uid, _, owner, _ in sets if owner in owners}
        pods = self.list_items(f"/api/v1/namespaces/{namespace}/pods", _ownership)
        return [PodName(namespace, pod) for _, pod, owner, ready in pods if owner in owners and ready]

    def run(
        self, pod: PodName, container: str, command: Sequence[str], *, seconds: float = EXEC_SECONDS
    ) -> CommandResult:
        """Run a command (an argument list, never a shell string) in a container and wait for its end.

        The client's preloading stream loses the exit code; `.returncode` raises ValueError for a missing binary
        and is None after a timeout. One client shared between calls breaks during an exec, so each has its own;
        the WebSocket's handshake has no time limit but the library's default one.

        :raises CouldNotMeasureError: refused, missing binary, timeout, or the pod went away half-way.
        """
        import websocket
        from kubernetes.client import ApiException, CoreV1Api
        from kubernetes.stream import stream

        where = f"{command!r} in {pod.namespace}/{pod.name}, container {container!r}"
        websocket.setdefaulttimeout(seconds)
        started = time.monotonic()
        try:
            client = stream(
                CoreV1Api(self._new_client()).connect_get_namespaced_pod_exec,
                pod.name,
                pod.namespace,
                container=container,
                command=list(command),
                stdout=True,
                stderr=True,
                stdin=False,
                tty=False,
                _preload_content=False,
            )
            try:
                client.run_forever(timeout=seconds)
                stdout, stderr = client.read_stdout(timeout=0.1), client.read_stderr(timeout=0.1)
                ended = not client.is_open()
                exit_code = client.returncode if ended else None
            finally:
                client.close()
        except ApiException as error:
            raise CouldNotMeasureError(f"Cannot run {where}: {error.reason or error.body}") from error
        except AttributeError as error:
            # kubernetes 36 and older: a refused handshake has no body, and the client fails decoding it.
            if not isinstance(error.__context__, ApiException):
                raise
            raise CouldNotMeasureError(f"Cannot run {where}: {error.__context__.reason}") from error
        except (OSError, ValueError, websocket.WebSocketException) as error:
            raise CouldNotMeasureError(f"Cannot run {where}: {error}") from error
        if exit_code is None:
            waited = time.monotonic() - started
            state = "it broke off" if ended else f"no end within {seconds:g} s"
            raise CouldNotMeasureError(f"Cannot run {where}: {state} (after {waited:.1f} s)")
        return CommandResult(exit_code, stdout, stderr)


class _ExpiredListError(Exception):
    """The API server forgot the state that a list's next page belongs to (HTTP 410)."""


def _ownership(item: Mapping[str, Any]) -> tuple[str, str, str, bool]:
    """Uid, name, the controlling owner's uid, and whether the object is a ready pod that stays."""
    meta, status = item["metadata"], item.get("status") or {}
    owner = next((owner["uid"] for owner in meta.get("ownerReferences") or () if owner.get("controller")), "")
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())
    return meta["uid"], meta["name"], owner, ready and not meta.get("deletionTimestamp")


def _message(body: bytes) -> str:
    """The message of a Status object, or the beginning of whatever else it is."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace").strip()
