"""The cluster's Connection, and what proxies and busy servers answer in the API server's place."""

import contextlib
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from unittest.mock import create_autospec

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.hooks import cluster
from docrag_ops.hooks.cluster import ClusterHook
from tests.hooks.bad_servers import (
    LIMIT_SECONDS,
    Behaviour,
    Server,
    answers,
    breaks_off,
    resets,
    says_goodbye,
    serving,
    talks_nonsense,
)


def head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]).encode()


def test_a_refusal_that_is_no_utf_8_is_told_as_it_is(kubeconfig: Callable[[int], None]):
    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head("502 Bad Gateway", "Content-Length: 8") + "ungültig".encode("latin-1"))

    with serving(answer) as server:
        kubeconfig(server.port)
        with pytest.raises(CouldNotMeasureError, match=r"HTTP 502: 'ung.ltig'"):
            ClusterHook().get("/api/v1/namespaces/x")


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_busy_server_is_asked_once_more_and_not_hours_later(
    kubeconfig: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, status: str
):
    monkeypatch.setattr(cluster, "MOST_RETRY_AFTER_SECONDS", 0.2)

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head(status, "Retry-After: 7200", "Content-Length: 4") + b"busy")

    with serving(answer) as server:
        kubeconfig(server.port)
        started = time.monotonic()
        with pytest.raises(CouldNotMeasureError, match=f"HTTP {status[:3]}: 'busy'"):
            ClusterHook().get("/api/v1/namespaces/x")
        assert server.asked == 2
        assert time.monotonic() - started < LIMIT_SECONDS


class InTurn:
    """A server that behaves differently each time that it is asked; in the end as the last one."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    def __call__(self, connection: socket.socket, over: threading.Event) -> None:
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        behaviour(connection, over)


NAMESPACE = {"kind": "Namespace", "metadata": {"name": "x"}}
LEADER_CHANGED = {"kind": "Status", "status": "Failure", "message": "etcdserver: leader changed", "code": 500}
PASSING = [answers(code, LEADER_CHANGED) for code in (429, 500, 502, 503, 504)] + [resets, says_goodbye]


@pytest.mark.parametrize("fault", PASSING, ids=["429", "500", "502", "503", "504", "reset", "closed"])
def test_a_fault_that_passes_is_logged_and_asked_about_once_more(
    kubeconfig: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, fault: Behaviour
):
    log = create_autospec(logging.Logger, instance=True)
    monkeypatch.setattr(ClusterHook, "log", log)
    with serving(InTurn(fault, answers(200, NAMESPACE))) as server:
        kubeconfig(server.port)
        assert ClusterHook().get("/api/v1/namespaces/x") == NAMESPACE
        assert server.asked == 2
    log.info.assert_called_once()


@pytest.mark.parametrize("fault", PASSING, ids=["429", "500", "502", "503", "504", "reset", "closed"])
def test_a_fault_that_stays_is_asked_about_twice_and_no_more(
    kubeconfig: Callable[[int], None], fault: Behaviour
):
    with serving(fault) as server:
        kubeconfig(server.port)
        with pytest.raises(CouldNotMeasureError, match=r"leader changed|did not answer"):
            ClusterHook().get("/api/v1/namespaces/x")
        assert server.asked == 2


@pytest.mark.parametrize(
    "fault",
    [*(answers(code, LEADER_CHANGED) for code in (400, 401, 403, 409, 501)), talks_nonsense, breaks_off],
    ids=["400", "401", "403", "409", "501", "nonsense", "broken off"],
)
def test_a_fault_that_does_not_pass_is_asked_about_once(kubeconfig: Callable[[int], None], fault: Behaviour):
    with serving(fault) as server:
        kubeconfig(server.port)
        with pytest.raises(CouldNotMeasureError):
            ClusterHook().get("/api/v1/namespaces/x")
        assert server.asked == 1


def test_a_redirect_is_not_followed(kubeconfig: Callable[[int], None]):
    """The token is for this server; a login page behind it is no list."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head("302 Found", "Location: /login", "Content-Length: 0"))

    with serving(answer) as server:
        kubeconfig(server.port)
        with pytest.raises(CouldNotMeasureError, match="HTTP 302"):
            ClusterHook().get("/api/v1/namespaces/x")
        assert server.asked == 1


@pytest.mark.parametrize(
    "content",
    [None, "", "clusters: [", "just a text", "apiVersion: v1\nkind: Config\ncurrent-context: gone\n"],
    ids=["no file", "empty", "no YAML", "a text", "no such context"],
)
def test_a_kubeconfig_that_is_none_is_named(
    tmp_path: Path, connection: Callable[..., None], content: str | None
):
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    connection("docrag_kubernetes", conn_type="kubernetes", extra={"kube_config_path": str(path)})
    with pytest.raises(UnreachableError, match=r"The Connection 'docrag_kubernetes' leads to no cluster"):
        ClusterHook().get("/api/v1/namespaces/x")


class Https(Server):
    """An API server that answers 418 to whoever trusts its certificate."""

    def __init__(self, chain: Path) -> None:
        self.context = SSLContext(PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain)
        super().__init__(lambda connection, over: None)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), self.context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(4096)
            wrapped.sendall(head("418 I'm a teapot", "Content-Length: 0"))


@pytest.fixture
def own_authority(tmp_path: Path) -> Path:
    """A self-signed authority as EKS makes them, without key identifiers, and a server certificate of it."""
    key, begins = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC) - timedelta(hours=1)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])
    leaf = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "apiserver")])

    def certificate(subject: x509.Name, extension: x509.ExtensionType, *, critical: bool) -> x509.Certificate:
        return (
            x509.CertificateBuilder(name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=1))
            .add_extension(extension, critical=critical)
            .sign(key, hashes.SHA256())
        )

    authority = certificate(name, x509.BasicConstraints(ca=True, path_length=None), critical=True)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    chain = certificate(leaf, address, critical=False)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "ca.crt").write_bytes(authority.public_bytes(pem))
    (tmp_path / "server.pem").write_bytes(secret + chain.public_bytes(pem))
    return tmp_path


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize(
    ("trust", "words"), [("own", "HTTP 418"), ("none", "CERTIFICATE_VERIFY_FAILED"), ("any", "HTTP 418")]
)
def test_an_authority_without_key_identifiers_is_trusted_when_it_is_named(
    connection: Callable[..., None], own_authority: Path, trust: str, words: str
):
    with contextlib.closing(Https(own_authority / "server.pem")) as server:
        cluster_of = {
            "own": {"certificate-authority": str(own_authority / "ca.crt")},
            "any": {"insecure-skip-tls-verify": True},
            "none": {},
        }[trust]
        content = {
            "clusters": [
                {"name": "c", "cluster": {"server": f"https://127.0.0.1:{server.port}", **cluster_of}}
            ],
            "users": [{"name": "u", "user": {"token": "very-secret"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        connection("docrag_kubernetes", conn_type="kubernetes", extra={"kube_config": content})
        with pytest.raises(CouldNotMeasureError, match=words):
            ClusterHook().get("/version")
