"""TLS endpoints: the certificates they really serve, by a real handshake with every address they have.

A chain that nobody trusts, an expired certificate and one of another name are measurements here, not errors. What
serves TLS may be many machines behind one address, so each is asked a few times.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.security_sections import TlsEndpoint
from docrag_ops.core.tls import Seen, ServedCertificate

if TYPE_CHECKING:
    from cryptography import x509

CONNECT_SECONDS = 3.0
HANDSHAKE_SECONDS = 5.0
TIMES_ASKED = 3
MOST_ADDRESSES = 16
NO_ROUTE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class TlsHook(BaseHook):
    """Asks endpoints for their certificates, the way the Connection `docrag_api` says.

    Its extras: `connect_to` ({"doc-rag.example.com:443": "10.0.0.5:8443"}, as curl's --connect-to) where workers reach
    an endpoint on another address than users do; `verify` (a CA file; false: trust is not looked at).
    """

    def __init__(self, conn_id: str = "docrag_api") -> None:
        super().__init__()
        self.conn_id = conn_id

    def see(self, endpoint: TlsEndpoint) -> list[Seen]:
        """Each certificate that is served at an endpoint, address by address; never an exception."""
        at = f"{endpoint.name}:{endpoint.port}"
        try:
            host, port = self._where(endpoint)
            addresses = _addresses(host, port)
        except (OSError, ValueError) as error:
            return [Seen(endpoint=endpoint, subject=at, problem=f"{endpoint.host} has no address: {error}")]
        found: list[Seen] = []
        without_route: list[Seen] = []
        for address in addresses:
            subject = at if len(addresses) == 1 else f"{at} ({address})"
            try:
                found += self._see_address(endpoint, subject, address, port)
            except (OSError, ValueError) as error:
                seen = Seen(endpoint=endpoint, subject=subject, problem=_failure(error, address, port))
                (without_route if getattr(error, "errno", None) in NO_ROUTE else found).append(seen)
        return found or without_route  # a machine without IPv6 cannot reach such an address, and need not

    def _where(self, endpoint: TlsEndpoint) -> tuple[str, int]:
        instead = self._extras.get("connect_to") or {}
        told = instead.get(f"{endpoint.host}:{endpoint.port}")
        if told is None:
            return endpoint.host, endpoint.port
        host, _, port = str(told).rpartition(":")
        return host.strip("[]"), int(port)

    @cached_property
    def _extras(self) -> Mapping[str, Any]:
        from airflow.sdk.exceptions import AirflowNotFoundException

        try:
            return dict(self.get_connection(self.conn_id).extra_dejson)
        except AirflowNotFoundException:  # whoever needs it says so; endpoints have addresses of their own
            return {}

    def _see_address(self, endpoint: TlsEndpoint, subject: str, address: str, port: int) -> Iterator[Seen]:
        """What is served there; the same certificate is told once."""
        told: dict[str, ServedCertificate] = {}
        for _ in range(TIMES_ASKED):
            content = _handshake(address, port, endpoint.name, _any_certificate())
            fingerprint = hashlib.sha256(content).hexdigest().upper()
            if fingerprint not in told:
                told[fingerprint] = served_certificate(content)
        why, is_time = self._untrusted(address, port, endpoint.name)
        for number, certificate in enumerate(told.values(), start=1):
            which = subject if len(told) == 1 else f"{subject}, certificate {number} of {len(told)}"
            itself = is_time and certificate.not_after <= datetime.now(UTC)
            known = dataclasses.replace(certificate, untrusted="" if itself else why)
            yield Seen(endpoint=endpoint, subject=which, certificate=known)

    def _untrusted(self, address: str, port: int, name: str) -> tuple[str | None, bool]:
        """Why the chain is not trusted (None: not looked at), and whether that is because something has expired."""
        verify = self._extras.get("verify", True)
        if verify is False:
            return None, False
        try:
            context = _trusting(verify if isinstance(verify, str) else "")
        except OSError as error:
            raise ValueError(f"the extra 'verify' of {self.conn_id} is {verify!r}: {error}") from error
        try:
            _handshake(address, port, name, context)
        except ssl.SSLCertVerificationError as error:
            return error.verify_message, error.verify_code == EXPIRED
        return "", False


WANTS_OURS = ("SSLV3_ALERT_HANDSHAKE_FAILURE", "SSLV3_ALERT_BAD_CERTIFICATE")
EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))[:MOST_ADDRESSES]


def _handshake(address: str, port: int, name: str, context: ssl.SSLContext) -> bytes:
    """The certificate's own bytes. Limits: connecting, then the whole handshake."""
    with socket.create_connection((address, port), timeout=CONNECT_SECONDS) as plain:
        plain.settimeout(HANDSHAKE_SECONDS)
        with context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False) as wrapped:
            try:
                wrapped.do_handshake()
                content = wrapped.getpeercert(binary_form=True)
            except ssl.SSLError as error:
                content = _shown_before(wrapped, error)
    if not content:
        raise ValueError("the server sent no certificate")
    return content


def _shown_before(wrapped: ssl.SSLSocket, error: ssl.SSLError) -> bytes:
    """The certificate that a server has shown before it refused us for having none (TLS 1.2; Python 3.13 tells it).

    :raises ssl.SSLError: when it was refused for anything else.
    """
    tell = getattr(wrapped, "get_unverified_chain", None) if error.reason in WANTS_OURS else None
    shown = tell() if tell else None
    if not shown:
        raise error
    return bytes(shown[0])


def _any_certificate() -> ssl.SSLContext:
    """Takes whatever is served, also by an old server: it is to be measured, nothing is sent over it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _trusting(ca_file: str) -> ssl.SSLContext:
    """Trusts the machine's authorities and those of `requests`, or only those of a file, as browsers do."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    context = ssl.create_default_context(cafile=ca_file or None)
    if not ca_file:
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    context.verify_flags &= ~getattr(
        ssl, "VERIFY_X509_STRICT", 0
    )  # 3.13's default; browsers are not as strict
    context.check_hostname = False  # another question
    return context


def served_certificate(content: bytes) -> ServedCertificate:
    """What a certificate in DER says.

    :raises ValueError: when it is none.
    """
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(content)
        names = tuple(_names(certificate))
    except (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(f"what is served is no certificate that can be read: {error}") from error
    return ServedCertificate(
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=f"{certificate.serial_number:X}",
        fingerprint=hashlib.sha256(content).hexdigest().upper(),
        issuer=certificate.issuer.rfc4514_string() or "nobody",
        names=names,
    )


def _names(certificate: x509.Certificate) -> Iterator[str]:
    """Its subject alternative names; the common name is none any more (RFC 9525)."""
    from cryptography import x509

    try:
        known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    yield from known.get_values_for_type(x509.DNSName)
    yield from (str(address) for address in known.get_values_for_type(x509.IPAddress))


def _failure(error: Exception, address: str, port: int) -> str:
    at = f"at {address} port {port}"
    if isinstance(error, TimeoutError):
        return f"no handshake within {CONNECT_SECONDS + HANDSHAKE_SECONDS:g} s {at}"
    if isinstance(error, ssl.SSLError):
        return f"the handshake failed {at}: {error.reason or error}"
    return f"no certificate {at}: {error}"
