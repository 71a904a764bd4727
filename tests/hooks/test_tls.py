"""Certificates as they are really served: measured whatever they are, within a time, address by address."""

import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from docrag_ops.core.security_sections import TlsEndpoint
from docrag_ops.core.tls import Seen
from docrag_ops.hooks import tls
from docrag_ops.hooks.tls import TlsHook
from tests.hooks.bad_servers import HTML, LIMIT_SECONDS, Server, answers, port_that_refuses, serving
from tests.sandbox.issuer import Issuer

NAME = "docs.example.com"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def serve(issuer: Issuer) -> Iterator[Callable[..., Server]]:
    """`serve("good", age_days=10)`: a TLS server with a certificate of that name, made for it; or several in turn."""
    servers: list[Server] = []

    def start(*names: str, age_days: int = 0, dns_names: tuple[str, ...] = (NAME,)) -> Server:
        contexts = []
        for name in names:
            begins = datetime.now(UTC) - timedelta(days=age_days)
            issuer.issue(name, dns_names, begins=begins)
            contexts.append(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            contexts[-1].load_cert_chain(issuer.folder / name / "tls.crt", issuer.folder / name / "tls.key")
        servers.append(TlsServer(contexts))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


class TlsServer(Server):
    """Shakes hands with the next of its certificates, and closes."""

    def __init__(self, contexts: list[ssl.SSLContext]) -> None:
        self.contexts = contexts
        super().__init__(lambda connection, over: None)

    def _serve(self, connection: socket.socket) -> None:
        context = self.contexts[self.asked % len(self.contexts)]
        try:
            connection.settimeout(5)
            with context.wrap_socket(connection, server_side=True) as wrapped:
                wrapped.recv(1)
        except OSError:
            return


@pytest.fixture
def see(connection: Callable[..., None], issuer: Issuer) -> Callable[..., list[Seen]]:
    """What is seen at the endpoint docs.example.com:443, which the Connection leads to a port of this machine."""

    def look(port: int, *, verify: str | bool | None = None, name: str | None = None) -> list[Seen]:
        trusted = str(issuer.authority) if verify is None else verify
        to = {f"{NAME}:443": f"127.0.0.1:{port}"}
        connection("docrag_api", extra={"connect_to": to, "verify": trusted})
        return TlsHook().see(TlsEndpoint(host=NAME, server_name=name))

    return look


def one(seen: list[Seen]) -> Seen:
    (only,) = seen
    return only


def test_dates_names_and_serial_are_those_of_the_certificate(serve, see, issuer: Issuer):
    seen = one(see(serve("good", dns_names=(NAME, "*.docs.example.com")).port))
    made = x509.load_pem_x509_certificate((issuer.folder / "good" / "tls.crt").read_bytes())
    served = seen.certificate
    assert (seen.subject, seen.problem) == (f"{NAME}:443", "")
    assert (served.not_before, served.not_after) == (made.not_valid_before_utc, made.not_valid_after_utc)
    assert (served.serial, served.names) == (f"{made.serial_number:X}", (NAME, "*.docs.example.com"))
    assert (served.untrusted, served.issuer) == ("", "CN=sandbox-tls-ca")


def test_expired_certificate_is_measured_and_its_chain_not_called_untrusted(serve, see):
    served = one(see(serve("old", age_days=100).port)).certificate
    assert served.not_after < datetime.now(UTC)
    assert served.untrusted == ""


def test_authority_that_nobody_trusts_is_said_and_the_rest_measured(serve, see):
    served = one(see(serve("good").port, verify=True)).certificate
    assert "unable to get local issuer certificate" in served.untrusted
    assert served.names == (NAME,)


def test_trust_is_not_looked_at_when_nobody_wants_it(serve, see):
    assert one(see(serve("good").port, verify=False)).certificate.untrusted is None


def test_certificate_of_another_name_is_measured(serve, see):
    assert one(see(serve("other", dns_names=("ingress.local",)).port)).certificate.names == ("ingress.local",)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.skipif(sys.version_info < (3, 13), reason="before, Python does not tell it in TLS 1.2")
def test_server_that_wants_a_certificate_of_ours_is_measured(serve, see, issuer: Issuer, version):
    server = serve("good")
    (context,) = server.contexts
    context.verify_mode, context.maximum_version = ssl.CERT_REQUIRED, version
    context.load_verify_locations(issuer.authority)
    certificate = one(see(server.port)).certificate
    assert certificate is not None
    assert (certificate.names, certificate.untrusted) == ((NAME,), "")
    assert "self-signed" in one(see(server.port, verify=True)).certificate.untrusted


def test_each_certificate_behind_one_address_is_seen(serve, see):
    seen = see(serve("first", "second").port)
    assert [one.subject for one in seen] == [f"{NAME}:443, certificate {n} of 2" for n in (1, 2)]
    assert len({one.certificate.fingerprint for one in seen}) == 2


def test_every_address_is_asked(serve, see, monkeypatch: pytest.MonkeyPatch):
    server = serve("good")
    monkeypatch.setattr(tls, "_addresses", lambda host, port: ["127.0.0.1", "127.0.0.2"])
    seen = see(server.port)
    assert [one.subject for one in seen] == [f"{NAME}:443 (127.0.0.1)", f"{NAME}:443 (127.0.0.2)"]
    assert seen[0].certificate
    assert "refused" in seen[1].problem


def test_address_without_a_route_is_no_problem_beside_one_that_answers(serve, see, monkeypatch):
    server, really = serve("good"), socket.create_connection

    def connect(address: tuple[str, int], **options: object) -> socket.socket:
        if ":" in address[0]:
            raise OSError(101, "Network is unreachable")
        return really(address, **options)

    monkeypatch.setattr(tls.socket, "create_connection", connect)
    monkeypatch.setattr(tls, "_addresses", lambda host, port: ["2001:db8::1", "127.0.0.1"])
    assert one(see(server.port)).certificate


def test_port_that_refuses_is_a_problem(see):
    assert "refused" in one(see(port_that_refuses())).problem


def test_server_without_tls_is_a_problem(see):
    with serving(answers(200, HTML, content_type="text/html")) as server:
        assert "the handshake failed" in one(see(server.port)).problem


def test_server_that_says_nothing_costs_its_time_limit(see, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tls, "HANDSHAKE_SECONDS", 0.3)
    with serving(lambda connection, over: bool(over.wait(60))) as server:
        started = time.monotonic()
        assert "no handshake within" in one(see(server.port)).problem
    assert time.monotonic() - started < LIMIT_SECONDS


def test_host_without_an_address_is_a_problem(connection):
    connection("docrag_api", extra={})
    endpoint = TlsEndpoint(host="no-such-host.invalid")
    assert "no-such-host.invalid has no address" in one(TlsHook().see(endpoint)).problem


def test_address_that_makes_no_sense_is_a_problem(connection):
    connection("docrag_api", extra={"connect_to": {f"{NAME}:443": "somewhere"}})
    assert one(TlsHook().see(TlsEndpoint(host=NAME))).problem


def test_authority_file_that_is_gone_is_a_problem(serve, see, tmp_path: Path):
    path = str(tmp_path / "none.pem")
    assert (
        f"the extra 'verify' of docrag_api is {path!r}" in one(see(serve("good").port, verify=path)).problem
    )


def test_endpoint_has_its_own_address_when_there_is_no_connection(serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AIRFLOW_CONN_DOCRAG_API", raising=False)
    server = serve("good")
    seen = one(TlsHook().see(TlsEndpoint(host="127.0.0.1", port=server.port, server_name=NAME)))
    assert seen.certificate.names == (NAME,)
