"""A text in a ConfigMap: read, and patched as it was when it was read."""

from __future__ import annotations

from docrag_ops.core.errors import ChangeError, CouldNotMeasureError
from docrag_ops.core.tuning.config_map import ConfigMapPolicy, Text
from docrag_ops.hooks.cluster import CONNECT_SECONDS, READ_SECONDS, ClusterHook

CHANGES = "docrag_kubernetes_change"
CONFLICT = 409


class ConfigMaps(ClusterHook):
    """By the Connection that changes; its role has `get` and `patch` on the ConfigMaps that are named."""

    def __init__(self, conn_id: str = CHANGES) -> None:
        super().__init__(conn_id)

    def read(self, where: ConfigMapPolicy) -> Text:
        """The text and its version.

        :raises CouldNotMeasureError: when there is no such ConfigMap, or no such text in it.
        """
        found = self.get(where.path)
        content = ((found or {}).get("data") or {}).get(where.key)
        if found is None or content is None:
            raise CouldNotMeasureError(f"{self._who} has no {where}")
        return Text(content, found["metadata"]["resourceVersion"])

    def write(self, where: ConfigMapPolicy, content: str, *, version: str) -> None:
        """Have the key say this and touch no other; only if the ConfigMap is still at that version.

        :raises ChangeError: refused, changed meanwhile, or no answer, in which case it may have been done.
        """
        import urllib3
        from kubernetes.client import ApiException

        try:
            self._client.call_api(
                where.path,
                "PATCH",
                header_params={
                    "Accept": "application/json",
                    "Content-Type": "application/merge-patch+json",
                },
                body={"metadata": {"resourceVersion": version}, "data": {where.key: content}},
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
        except ApiException as error:
            meanwhile = (
                "it was changed meanwhile" if error.status == CONFLICT else (error.body or error.reason)
            )
            raise ChangeError(f"{where}: HTTP {error.status}, {meanwhile}") from error
        except urllib3.exceptions.HTTPError as error:
            raise ChangeError(f"{where}: no answer, it may have been patched: {error}") from error
