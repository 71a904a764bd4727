"""`python -m tests.sandbox.qdrant`: a stand-in for Qdrant with the answers of a real server (1.12)."""

import hmac
import time
from typing import Any

from aiohttp import web

from tests.sandbox.api.app import CONTROL_HEADER
from tests.sandbox.passwords import passwords
from tests.sandbox.settings import load_settings

COLLECTION = "documents"
CHUNKS_PER_DOCUMENT = 4
OPTIMIZER_ERROR = "Service internal error: No space left on device (os error 28)"


class Qdrant:
    def __init__(self, points: int, control: str) -> None:
        self._points = points
        self._control = control
        self._is_red = False

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/readyz", self.ready),
            web.get("/healthz", self.ready),
            web.get("/collections", self.collections),
            web.get("/collections/{name}", self.collection),
            web.post("/sandbox/faults/{name}", self.switch),
        ]

    async def ready(self, request: web.Request) -> web.Response:
        return web.Response(
            text="all shards are ready" if request.path == "/readyz" else "healthz check passed"
        )

    async def collections(self, request: web.Request) -> web.Response:
        return _answer({"collections": [{"name": COLLECTION}]})

    async def collection(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name != COLLECTION:
            error = {"error": f"Not found: Collection `{name}` doesn't exist!"}
            return web.json_response({"status": error, "time": 0.00001}, status=404)
        return _answer(
            {
                "status": "red" if self._is_red else "green",
                "optimizer_status": {"error": OPTIMIZER_ERROR} if self._is_red else "ok",
                "indexed_vectors_count": self._points,
                "points_count": self._points,
                "segments_count": 8,
                "config": {
                    "params": {
                        "vectors": {"size": 384, "distance": "Cosine"},
                        "shard_number": 1,
                        "replication_factor": 1,
                        "write_consistency_factor": 1,
                        "on_disk_payload": True,
                    },
                    "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
                    "optimizer_config": {"deleted_threshold": 0.2, "indexing_threshold": 20000},
                    "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
                    "quantization_config": None,
                },
                "payload_schema": {},
            }
        )

    async def switch(self, request: web.Request) -> web.Response:
        """Turn the fault on or off: {"on": true}. Without the secret this path does not exist."""
        secret = request.headers.get(CONTROL_HEADER, "")
        known = request.match_info["name"] == "qdrant_collection_red"
        if not (known and hmac.compare_digest(secret.encode(), self._control.encode())):
            raise web.HTTPNotFound
        self._is_red = bool((await request.json())["on"])
        return web.json_response({"on": self._is_red})


def _answer(result: dict[str, Any]) -> web.Response:
    return web.json_response({"result": result, "status": "ok", "time": round(time.monotonic() % 1e-4, 9)})


def main() -> None:
    settings = load_settings()
    app = web.Application()
    app.add_routes(Qdrant(settings.rows * CHUNKS_PER_DOCUMENT, passwords(settings)["control"]).routes())
    web.run_app(app, host="127.0.0.1", port=settings.qdrant_port, print=None, access_log=None)


if __name__ == "__main__":
    main()
