"""A Qdrant that snapshots are recovered on: a collection of our own each, dropped afterwards."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from docrag_ops.core.backups.errors import DamagedError
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.hooks.web import CONNECT_SECONDS, WebHook, describe_failure

PREFIX = "docrag_drill_"
OURS = re.compile(r"docrag_drill_\d{14}_[0-9a-f]{8}")
RECOVER_SECONDS = 3600.0
_BOUNDARY = "docrag-drill-snapshot"


class ScratchQdrant(WebHook):
    """Recovers snapshots by a Connection of type `http`, as that of `docrag_qdrant`.

    Source: https://api.qdrant.tech/api-reference/snapshots/recover-from-uploaded-snapshot
    """

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id, name="The scratch Qdrant")

    def require_another_server(self, live_url: str, live_collections: Sequence[str]) -> None:
        """Refuse the live server. Qdrant has no identity to compare: one with the live collections is taken for it.

        :raises UnreachableError: then nothing is recovered.
        """
        there = set(self._collections()) & set(live_collections)
        if self.base_url == live_url or there:
            has = f", which has the collection {min(there)!r}" if there else ""
            raise UnreachableError(
                f"The Connection {self.conn_id!r} leads to {self.base_url}{has}: it may be the live Qdrant, and "
                "nothing is recovered there"
            )

    def sweep(self) -> None:
        """Drop the collections that killed runs left."""
        for name in self._collections():
            if OURS.fullmatch(name):
                self._drop(name)

    def points_of_recovered(self, snapshot: Iterable[bytes]) -> int:
        """Recover a snapshot into a new collection, count its points, and drop it.

        :raises DamagedError: when Qdrant does not take it.
        :raises CouldNotMeasureError: when Qdrant cannot be asked.
        """
        name = f"{PREFIX}{datetime.now(UTC):%Y%m%d%H%M%S}_{secrets.token_hex(4)}"
        try:
            self._upload(name, snapshot)
            result = self.ask_json("GET", f"/collections/{name}")["result"]
            if result.get("status") == "red" or not isinstance(result.get("points_count"), int):
                raise DamagedError(f"the recovered collection is {result.get('status')!r}")
            return int(result["points_count"])
        finally:
            self._drop(name)

    def _upload(self, name: str, snapshot: Iterable[bytes]) -> None:
        import requests

        path = f"/collections/{name}/snapshots/upload?wait=true&priority=snapshot"
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        try:
            response = self.session.post(
                f"{self.base_url}{path}",
                data=_as_form(snapshot),
                headers=headers,
                timeout=(CONNECT_SECONDS, RECOVER_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            said = describe_failure(error, read_seconds=RECOVER_SECONDS)
            raise UnreachableError(
                f"{self.name} at {self.base_url} did not take the snapshot: {said}"
            ) from error
        if response.status_code in (400, 422, 500):
            raise DamagedError(
                f"Qdrant does not recover it: HTTP {response.status_code}: {response.text[:300]}"
            )
        if response.status_code != 200:
            raise CouldNotMeasureError(
                f"{self.name} at {self.base_url} answered HTTP {response.status_code}: {response.text[:300]}"
            )

    def _collections(self) -> list[str]:
        found = self.ask_json("GET", "/collections")["result"]["collections"]
        return [str(one["name"]) for one in found]

    def _drop(self, name: str) -> None:
        self.ask("DELETE", f"/collections/{name}")


def _as_form(snapshot: Iterable[bytes]) -> Iterator[bytes]:
    """A form with one file, sent as it is read."""
    yield (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="snapshot"; filename="drill.snapshot"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    yield from snapshot
    yield f"\r\n--{_BOUNDARY}--\r\n".encode()
