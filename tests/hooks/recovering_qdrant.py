"""A Qdrant that takes snapshots: a collection's points are the bytes of its snapshot; rubbish is refused."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class RecoveringQdrant(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.collections: dict[str, int] = {}
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class _Request(BaseHTTPRequestHandler):
    server: RecoveringQdrant
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if name == "collections":
            self._answer(200, {"collections": [{"name": one} for one in self.server.collections]})
        elif name in self.server.collections:
            self._answer(200, {"status": "green", "points_count": self.server.collections[name]})
        else:
            self._answer(404, f"Collection `{name}` doesn't exist!")

    def do_POST(self) -> None:
        body = self._chunked_body()
        content = body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        if content.startswith(b"rubbish"):
            self._answer(400, "this is not a snapshot")
            return
        self.server.collections[self.path.split("/")[2]] = len(content)
        self._answer(200, True)

    def do_DELETE(self) -> None:
        self._answer(200, self.server.collections.pop(self.path.rpartition("/")[2], None) is not None)

    def _chunked_body(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, result: Any) -> None:
        content = json.dumps({"result": result, "status": "ok"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""
