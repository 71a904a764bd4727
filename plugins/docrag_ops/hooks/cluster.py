"""A Kubernetes cluster: raw JSON in pages, and commands inside pods.

The typed client costs four times the memory of raw JSON on large namespaces, so lists are read as they come.
Manners of the real API that shape this file are in the docstrings of the methods.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.cluster.statuses import message_of
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.hooks.pod_commands import CommandResult, PodName, RawResult, run_command
from docrag_ops.hooks.pod_logs import stream_log

if TYPE_CHECKING:
    from ssl import SSLContext

    from kubernetes.client import ApiClient, ApiException, Configuration

Facts = TypeVar("Facts")

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0
EXEC_SECONDS = 30.0
LOG_SECONDS = 600.0
MOST_RETRY_AFTER_SECONDS = 2
RETRY_PAUSE_SECONDS = 0.3
RETRY_STATUS = (429, 500, 502, 503, 504)
PAGE_ITEMS = 100
EXPIRED = 410
WHY_REFUSED = {
    401: "; the Connection's token or certificate is wrong or has expired, or its exec plugin is not on this worker"
}


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
        page_items: int = PAGE_ITEMS,
    ) -> list[Facts]:
        """Facts of all items of a list, read page by page; a list that changed too much is begun again.

        :param path: such as `/api/v1/namespaces/doc-rag-prod/pods`. A namespace that does not exist lists as
            empty, without an error: ask for the namespace first.
        :param page_items: fewer for objects that may be large: one page is in memory at a time.
        """
        for _ in range(3):
            try:
                return self._read_pages(path, to_facts, [*query, ("limit", str(page_items))])
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

    def api_groups(self) -> frozenset[str]:
        """The API groups that this cluster serves, e.g. `cert-manager.io`.

        Asked before a custom resource is: what an absent one answers (404, plain text) is what a proxy on the way or
        a wrong address answers too, and those are no reason to say that there is nothing.
        """
        found = self.get("/apis")
        if found is None or found.get("kind") != "APIGroupList":
            raise CouldNotMeasureError(
                f"{self._who} does not say which APIs it has (/apis): {str(found)[:200]}"
            )
        return frozenset(str(group["name"]) for group in found.get("groups") or ())

    def _read_pages(
        self, path: str, to_facts: Callable[[Mapping[str, Any]], Facts], query: Sequence[tuple[str, str]]
    ) -> list[Facts]:
        facts: list[Facts] = []
        token: str | None = None
        while token != "":
            token = self._read_page(path, to_facts, query, token, facts)
        return facts

    def _read_page(
        self,
        path: str,
        to_facts: Callable[[Mapping[str, Any]], Facts],
        query: Sequence[tuple[str, str]],
        token: str | None,
        facts: list[Facts],
    ) -> str:
        """Add the facts of one page; returns the next one's token. The page is forgotten before the next is read."""
        more = [("continue", token)] if token else []
        status, body = self._ask(path, [*query, *more])
        if status == EXPIRED:
            raise _ExpiredListError(path)
        page = self._json(path, status, body)
        facts.extend(to_facts(item) for item in page.get("items") or ())
        return str((page.get("metadata") or {}).get("continue") or "")

    def _json(self, path: str, status: int, body: bytes) -> dict[str, Any]:
        """An absent API answers 404, a broken one 503, both in plain text: the status is looked at first."""
        if status != 200:
            raise CouldNotMeasureError(
                f"{self._who} answered {path} with HTTP {status}: {message_of(body)!r}{WHY_REFUSED.get(status, '')}"
            )
        try:
            data = json.loads(body)
        except ValueError as error:
            raise CouldNotMeasureError(f"{self._who} answered {path} with no JSON: {body[:200]!r}") from error
        if not isinstance(data, dict):
            raise CouldNotMeasureError(f"{self._who} answered {path} with no object: {body[:200]!r}")
        return data

    def _ask(self, path: str, query: Sequence[tuple[str, str]]) -> tuple[int, bytes]:
        """Status and body; a passing fault of the control plane is asked about once more, silence is not.

        While it is upgraded, or elects a leader, it refuses a question or breaks its connection off, and answers the
        next one. A question that timed out has cost its limit.
        """
        try:
            answer = self._ask_once(path, query)
            if answer.status not in RETRY_STATUS or answer.asked_again:
                return answer.status, answer.body
            fault = f"HTTP {answer.status}: {message_of(answer.body)!r}"
        except UnreachableError as error:
            if not _was_broken_off(error.__cause__):
                raise
            fault = str(error)
        self.log.info("GET %s: %s; asking again in %g s", path, fault, RETRY_PAUSE_SECONDS)
        time.sleep(RETRY_PAUSE_SECONDS)
        again = self._ask_once(path, query)
        return again.status, again.body

    def _ask_once(self, path: str, query: Sequence[tuple[str, str]]) -> _Answer:
        """The answer. When nobody answers, the client raises urllib3's errors, not ApiException."""
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
            return _Answer(response.status, response.data)
        except ApiException as error:
            return _Answer(error.status, (error.body or "").encode(), _was_asked_again(error))
        except UnicodeDecodeError as error:
            # The client (36.0.3) reads the body of a refusal as UTF-8, whatever a proxy on the way wrote there.
            if not isinstance(error.__context__, ApiException):
                raise
            return _Answer(error.__context__.status, error.object, _was_asked_again(error.__context__))
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise UnreachableError(f"{self._who} did not answer {path}: {cause}") from error

    @property
    def _who(self) -> str:
        return f"The Kubernetes API at {self._client.configuration.host} ({self.conn_id})"

    @cached_property
    def _client(self) -> ApiClient:
        """A client that is bounded: urllib3's own three retries make a hanging server four times as slow, and a
        busy one (429, 503) may ask it to wait for hours."""
        from urllib3.util import Retry

        client = self._connection_client()
        client.rest_client.pool_manager.connection_pool_kw["ssl_context"] = _trusting_own_authorities(
            client.configuration
        )
        client.rest_client.pool_manager.connection_pool_kw["retries"] = Retry(
            total=1,
            read=0,
            redirect=False,
            backoff_factor=0.2,
            retry_after_max=MOST_RETRY_AFTER_SECONDS,
            raise_on_status=False,
        )
        return client

    def _connection_client(self) -> ApiClient:
        from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
        from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException
        from kubernetes.config import ConfigException
        from yaml import YAMLError

        try:
            client: ApiClient = KubernetesHook(conn_id=self.conn_id).get_conn()
        except AirflowNotFoundException:
            raise
        except (AirflowException, ConfigException, YAMLError, OSError, ValueError, TypeError) as error:
            raise UnreachableError(
                f"The Connection {self.conn_id!r} leads to no cluster ({error}). Its extra needs one of"
                " kube_config_path, kube_config or in_cluster; the path is one on the worker"
            ) from error
        return client

    def ready_pods(self, kind: str, namespace: str, name: str) -> list[PodName]:
        """The ready pods that belong to a workload.

        :raises CouldNotMeasureError: when the workload does not exist.
        """
        return [pod for pod, ready in self.pods_of(kind, namespace, name) if ready]

    def pods_of(self, kind: str, namespace: str, name: str) -> list[tuple[PodName, bool]]:
        """The pods that belong to a workload, by name, each with whether it is ready and stays.

        One that is finished (evicted, shut down with its node) is left out: it stays listed for as long as nobody
        deletes it, runs nothing, and the kubelet has dropped its containers.

        They are followed by owner references. Labels would not do: `app=api` may match the pods of two Deployments.

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
        return sorted(
            (
                (PodName(namespace, pod), ready)
                for _, pod, owner, ready in pods
                if owner in owners and ready is not None
            ),
            key=lambda one: one[0].name,
        )

    def run(
        self, pod: PodName, container: str, command: Sequence[str], *, seconds: float = EXEC_SECONDS
    ) -> CommandResult:
        """Run a command (an argument list, never a shell string) in a container and wait for its end.

        :raises CouldNotMeasureError: refused, missing binary, no end in time, too much output, or the pod went away.
        """
        return self.run_raw(pod, container, command, seconds=seconds).decoded()

    def run_raw(
        self, pod: PodName, container: str, command: Sequence[str], *, seconds: float = EXEC_SECONDS
    ) -> RawResult:
        """The same, with the command's output as it wrote it: names of files are bytes, not text."""
        return run_command(self._client, pod, container, command, seconds=seconds)

    def stream_logs(
        self,
        pod: PodName,
        container: str,
        *,
        since_seconds: int,
        previous: bool = False,
        seconds: float = LOG_SECONDS,
    ) -> Iterator[bytes]:
        """A container's log in pieces, each line behind its time; nothing when there is no such log.

        :raises CouldNotMeasureError: refused, silent for a minute, broken off, or longer than `seconds`.
        """
        return stream_log(
            self._client, pod, container, since_seconds=since_seconds, previous=previous, seconds=seconds
        )


def _trusting_own_authorities(configuration: Configuration) -> SSLContext:
    """Whom to trust as Python did before 3.13. Since then it refuses a self-signed authority without key identifiers,
    which RFC 5280 allows and clusters have (EKS, older GKE: kubernetes-client/python #2394)."""
    from ssl import CERT_NONE, CERT_REQUIRED, VERIFY_X509_STRICT

    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context(cert_reqs=CERT_REQUIRED if configuration.verify_ssl else CERT_NONE)
    context.verify_flags &= ~VERIFY_X509_STRICT
    if configuration.verify_ssl and not configuration.ssl_ca_cert:
        context.load_default_certs()
    return context


class _Answer(NamedTuple):
    """What the API server said; `asked_again`: urllib3 has already waited and asked a second time for it."""

    status: int
    body: bytes
    asked_again: bool = False


def _was_asked_again(error: ApiException) -> bool:
    """Whether the server said when to come back, which urllib3 does by itself for some statuses."""
    from urllib3.util import Retry

    return error.status in Retry.RETRY_AFTER_STATUS_CODES and "Retry-After" in (error.headers or ())


def _was_broken_off(error: BaseException | None) -> bool:
    """Whether the connection was reset, or closed without an answer; urllib3 wraps that twice."""
    from urllib3.exceptions import ProtocolError

    cause = getattr(error, "reason", None) or error
    return isinstance(cause, ProtocolError) and any(isinstance(one, ConnectionError) for one in cause.args)


class _ExpiredListError(Exception):
    """The API server forgot the state that a list's next page belongs to (HTTP 410)."""


def _ownership(item: Mapping[str, Any]) -> tuple[str, str, str, bool | None]:
    """Uid, name, the controlling owner's uid, and whether it is a ready pod that stays; None of a finished one."""
    meta, status = item["metadata"], item.get("status") or {}
    owner = next((owner["uid"] for owner in meta.get("ownerReferences") or () if owner.get("controller")), "")
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())
    if status.get("phase") in ("Succeeded", "Failed"):
        return meta["uid"], meta["name"], owner, None
    return meta["uid"], meta["name"], owner, ready and not meta.get("deletionTimestamp")
