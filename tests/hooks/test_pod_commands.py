"""The frames of an exec, as servers and what lies between may send them."""

import base64
import hashlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.pod_commands import CommandResult, PodName
from tests.sandbox.cluster import tls

POD = PodName("doc-rag-prod", "api-0")
SUCCESS = {"metadata": {}, "status": "Success"}
BINARY, CLOSE, PING = 0x2, 0x8, 0x9


def frame(payload: bytes, opcode: int = BINARY) -> bytes:
    size = len(payload)
    length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + payload


def out(text: bytes) -> bytes:
    return frame(b"\x01" + text)


def status(content: object) -> bytes:
    return frame(b"\x03" + json.dumps(content).encode())


GOODBYE = frame((1000).to_bytes(2, "big"), CLOSE)


class ExecServer:
    """Takes one connection after the other, agrees to WebSocket, and sends what it is told to send, piece by piece.

    None as a piece means: send nothing more, and leave the connection open.
    """

    def __init__(self, folder: Path, pieces: list[bytes | None]) -> None:
        self.pieces = pieces
        self.named = False  # whether the client showed a certificate
        self._context = tls.server_context(folder)
        self._context.verify_mode = ssl.CERT_OPTIONAL
        self._context.load_verify_locations(folder / "client.crt")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self.named = bool(connection.getpeercert())
                    self._agree(connection)
                    for piece in self.pieces:
                        if piece is None:
                            self._over.wait(20)
                            break
                        connection.sendall(piece)
                        time.sleep(0.02)
            except OSError:
                continue

    def _agree(self, connection: socket.socket) -> None:
        request = connection.recv(65536).decode()
        key = re.search(r"Sec-WebSocket-Key: (\S+)", request)
        assert key is not None
        accepted = f"{key[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()
        digest = hashlib.sha1(accepted, usedforsecurity=False).digest()
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )

    def close(self) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


Run = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    tls.server_context(folder)
    key, name = ec.generate_private_key(ec.SECP256R1()), tls._name("operator")
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "client.key").write_bytes(key.private_bytes(*pem))
    certificate = tls._certificate(name, name, key, key, authority=True)
    (folder / "client.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder


@pytest.fixture
def run(certificates: Path, connection: Callable[..., None]) -> Run:
    """`run([frames…])`: what the hook makes of a server that sends these."""

    def ask(
        pieces: list[bytes | None], *, seconds: float = 5, authority: str = "ca.crt", named: bool = False
    ) -> CommandResult:
        cluster = {"certificate-authority": str(certificates / authority)}
        user: dict[str, str] = {"token": "very-secret"}
        if named:
            files = ("client-certificate", "client.crt"), ("client-key", "client.key")
            user = {key: str(certificates / file) for key, file in files}
        with closing(ExecServer(certificates, pieces)) as server:
            cluster["server"] = f"https://127.0.0.1:{server.port}"
            content = {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                "clusters": [{"name": "here", "cluster": cluster}],
                "users": [{"name": "me", "user": user}],
            }
            connection("docrag_kubernetes", conn_type="kubernetes", extra={"kube_config": content})
            done = ClusterHook().run(POD, "api", ["true"], seconds=seconds)
            assert server.named == named
            return done

    return ask


def refusal(run: Run, pieces: list[bytes | None], **more: object) -> str:
    with pytest.raises(CouldNotMeasureError) as refused:
        run(pieces, **more)
    return str(refused.value)


def test_a_frame_for_each_thing(run: Run):
    assert run([out(b"a"), frame(b"\x02b"), status(SUCCESS), GOODBYE]) == CommandResult(0, "a", "b")


def test_a_client_certificate_is_shown(run: Run):
    """What k3s and kind put into their kubeconfigs."""
    assert run([status(SUCCESS), GOODBYE], named=True).exit_code == 0


def test_a_server_that_another_authority_signed_is_not_talked_to(run: Run):
    assert "certificate verify failed" in refusal(run, [status(SUCCESS), GOODBYE], authority="client.crt")


def test_all_frames_in_one_tls_record(run: Run):
    """The Kubernetes client's own stream waits here until the server closes."""
    sent = [out(b"a") + out(b"b") + status(SUCCESS) + GOODBYE, None]
    assert run(sent, seconds=10) == CommandResult(0, "ab", "")


def test_frames_in_small_pieces(run: Run):
    sent = out("grün".encode()) + status(SUCCESS) + GOODBYE
    assert run([sent[at : at + 3] for at in range(0, len(sent), 3)]).stdout == "grün"


def test_a_character_across_two_frames(run: Run):
    euro = "€".encode()
    assert run([out(euro[:1]), out(euro[1:]), status(SUCCESS), GOODBYE]).stdout == "€"


def test_unknown_channels_pings_and_signals_of_v5_are_no_output(run: Run):
    done = run(
        [
            frame(b"", PING),
            frame(b"\xff\x01"),
            frame(b"\x07x"),
            frame(b""),
            out(b"a"),
            status(SUCCESS),
            GOODBYE,
        ]
    )
    assert done == CommandResult(0, "a", "")


def test_a_status_counts_although_the_connection_breaks_after_it(run: Run):
    assert run([out(b"a"), status(SUCCESS)]) == CommandResult(0, "a", "")


@pytest.mark.parametrize("end", [b"", GOODBYE], ids=["lost", "closed"])
def test_output_without_a_status_is_no_result(run: Run, end: bytes):
    """The pod went away half-way: what it wrote so far is not the answer."""
    assert "it broke off" in refusal(run, [out(b"10"), end])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"status": "Failure", "message": "container not found"}, "container not found"),
        ({"status": "Failure", "message": "no", "details": {}}, "no"),
        ({"status": "Failure", "message": "no", "details": {"causes": [{"message": "exec failed"}]}}, "no"),
        (["what"], "what"),
        (None, "null"),
    ],
)
def test_a_failure_without_an_exit_code_is_no_result(run: Run, content: object, words: str):
    assert words in refusal(run, [status(content), GOODBYE])


def test_a_half_frame_does_not_hold_the_worker(run: Run):
    assert "no end within 0.5 s" in refusal(run, [out(b"abc")[:3], None], seconds=0.5)


def test_pings_do_not_prolong_the_limit(run: Run):
    assert "no end within 0.5 s" in refusal(run, [frame(b"", PING)] * 100 + [None], seconds=0.5)
