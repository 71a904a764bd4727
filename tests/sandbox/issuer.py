"""An authority of the sandbox's own and the certificates that it issues, as files: `.sandbox/tls/NAME/tls.{crt,key}`.

It stands in for cert-manager's issuer and for the Secrets that it fills; `ca.crt` is what clients trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.sandbox.passwords import write_private

AUTHORITY_LIFE = timedelta(days=3650)
LIFE = timedelta(days=90)
AGE = timedelta(days=10)  # of what was issued when nobody looked
PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Issuer:
    """The authority in a folder; made when it is not there."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The certificate that clients trust."""
        return self.folder / "ca.crt"

    def issue(
        self, name: str, dns_names: Sequence[str], *, begins: datetime | None = None, life: timedelta = LIFE
    ) -> x509.Certificate:
        """Put a new key and its certificate into the folder NAME; `begins` is now when it is not said."""
        self._require_authority()
        key = ec.generate_private_key(ec.SECP256R1())
        begins = (begins or datetime.now(UTC)).replace(microsecond=0)
        authority = x509.load_pem_x509_certificate(self.authority.read_bytes())
        signing = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        assert isinstance(signing, ec.EllipticCurvePrivateKey)
        names = x509.SubjectAlternativeName([x509.DNSName(one) for one in dns_names])
        made = (
            _builder(dns_names[0], authority.subject, key, signing, begins, begins + life)
            .add_extension(names, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(signing, hashes.SHA256())
        )
        self._write(name, made, key)
        return made

    def current(self, name: str, dns_names: Sequence[str]) -> x509.Certificate:
        """The certificate in the folder NAME, issued anew when two thirds of its life are over."""
        path = self.folder / name / "tls.crt"
        if path.exists() and self.authority.exists():
            found = x509.load_pem_x509_certificate(path.read_bytes())
            if datetime.now(UTC) < renewal_of(found):
                return found
        return self.issue(name, dns_names, begins=datetime.now(UTC) - AGE)

    def _require_authority(self) -> None:
        if self.authority.exists():
            return
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox-tls-ca")])
        begins = datetime.now(UTC) - timedelta(
            days=400
        )  # older than the oldest certificate that a test asks for
        made = _builder("sandbox-tls-ca", name, key, key, begins, begins + AUTHORITY_LIFE, authority=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_private(self.folder / "ca.key", _pem(key))
        write_private(self.authority, made.sign(key, hashes.SHA256()).public_bytes(PEM).decode())

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        write_private(folder / "tls.key", _pem(key))
        write_private(folder / "tls.crt", certificate.public_bytes(PEM).decode())


def renewal_of(certificate: x509.Certificate) -> datetime:
    """When cert-manager renews it: at two thirds of its life."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begins + (ends - begins) * 2 / 3


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def _builder(
    common: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
    *,
    authority: bool = False,
) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    known = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(known, critical=False)
    )
