"""The cluster as the Kubernetes client's own machinery sees it: what the hook's answers are compared with."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from kubernetes import client


@dataclass(frozen=True)
class Reply:
    status: int
    text: str


class Witness:
    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self._core = client.CoreV1Api(api)

    def get(self, path: str, **query: str) -> Reply:
        """A plain request with the kubeconfig's credentials."""
        headers: dict[str, str] = {"Accept": "application/json"}
        self._api.update_params_for_auth(headers, [], ["BearerToken"])
        url = self._api.configuration.host + path + ("?" + urlencode(query) if query else "")
        answer = self._api.rest_client.pool_manager.request("GET", url, headers=headers, timeout=15)
        return Reply(answer.status, answer.data.decode())

    def pods(self, namespace: str, **labels: str) -> list[Any]:
        """Typed pods, all or those with these labels."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return self._core.list_namespaced_pod(namespace, label_selector=selector, _request_timeout=30).items

    def pod_names(self, namespace: str) -> set[str]:
        return {pod.metadata.name for pod in self.pods(namespace)}

    def ready_pod_names(self, namespace: str, workload: str) -> set[str]:
        """By the label that the manifests give to the pods of one workload and to no other."""
        return {pod.metadata.name for pod in self.pods(namespace, app=workload) if _ready(pod)}


def _ready(pod: Any) -> bool:
    ready = any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ())
    return ready and pod.metadata.deletion_timestamp is None
