"""Servers on 127.0.0.1 that behave as badly as real ones do."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

LIMIT_SECONDS = 20
"""Less than any server here is silent for: who is done by then did not wait for it."""

Behaviour = Callable[[socket.socket, threading.Event], None]


class Server:
    """Takes connections and does to each what `behaviour` says; counts them."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.asked = 0
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.asked += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                self.behaviour(connection, self.over)
            except OSError:
                return

    def close(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[Server]:
    server = Server(behaviour)
    try:
        yield server
    finally:
        server.close()


def port_that_refuses() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def hangs(connection: socket.socket, over: threading.Event) -> None:
    """Takes the question and never answers."""
    over.wait(60)


def resets(connection: socket.socket, over: threading.Event) -> None:
    """Breaks the connection off with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says_goodbye(connection: socket.socket, over: threading.Event) -> None:
    """Closes the connection without an answer."""


def talks_nonsense(connection: socket.socket, over: threading.Event) -> None:
    """Answers in another protocol."""
    connection.sendall(b"\x00\x15\x03\x01 220 mail.example.com ESMTP\r\n\r\n")


def breaks_off(connection: socket.socket, over: threading.Event) -> None:
    """Promises a long body and closes after its beginning."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"status": ')


def answers(status: int, body: Any, *, content_type: str = "application/json") -> Behaviour:
    """Answers one request with this, a text as it is, anything else as JSON."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\nContent-Length: {len(content)}\r\n"

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + content)

    return answer


NO_ANSWER = (hangs, resets, says_goodbye, talks_nonsense, breaks_off)
HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
