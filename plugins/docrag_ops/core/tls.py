"""The certificate that an endpoint really serves, compared with what it should be.

What cert-manager issued lies in a Secret, which nobody may read for this: the dates in the Certificate's status say as
much. Two certificates of the same object with the same two dates, to the second, are taken to be the same.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from docrag_ops.core import certificates
from docrag_ops.core.certificates import CertificateFacts, Issued
from docrag_ops.core.cluster.quantities import minutes_between
from docrag_ops.core.measurements import Measurement
from docrag_ops.core.security_sections import TlsEndpoint


@dataclass(frozen=True, kw_only=True)
class ServedCertificate:
    """The first certificate of the chain. `untrusted` says why the chain is not trusted; None: not looked at."""

    not_before: datetime
    not_after: datetime
    serial: str
    fingerprint: str
    issuer: str
    names: tuple[str, ...]
    untrusted: str | None = None

    @property
    def told(self) -> str:
        """What tells it from others."""
        return f"serial {self.serial}, SHA-256 {self.fingerprint[:16]}…, issued by {self.issuer}"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One certificate seen at one address of an endpoint, or why none was."""

    endpoint: TlsEndpoint
    subject: str
    certificate: ServedCertificate | None = None
    problem: str = ""


def days_left(seen: Iterable[Seen], issued: Issued) -> Iterator[Measurement]:
    """Days to notAfter of each served certificate that is renewed early; one that was not seen is a problem."""
    for one in seen:
        if one.certificate is None:
            yield Measurement(subject=one.subject, problem=one.problem)
            continue
        served = one.certificate
        if served.not_before > issued.now:
            evidence = f"not valid before {served.not_before:%Y-%m-%d %H:%M} UTC; {served.told}"
            days = (issued.now - served.not_before).total_seconds() / 86_400
            yield Measurement(subject=one.subject, value=days, evidence=evidence)
        elif certificates.is_renewed_early(*_dates(one, served, issued)):
            yield certificates.days_to(one.subject, served.not_after, issued.now, served.told)


def window_left(seen: Iterable[Seen], issued: Issued) -> Iterator[Measurement]:
    """What is left of the time between renewal and end of each served certificate that is renewed late."""
    for one in seen:
        served = one.certificate
        if served is None or served.not_before > issued.now:
            continue
        if not certificates.is_renewed_early(*(dates := _dates(one, served, issued))):
            yield certificates.share_left(one.subject, dates, issued.now, served.told)


def _dates(one: Seen, served: ServedCertificate, issued: Issued) -> certificates.Dates:
    """With the renewal time of the object, where that is the certificate served."""
    known = issued.by_name().get(one.endpoint.certificate or "")
    renewal_at = known.renewal_at if known and _is_the_issued(served, known) else None
    return served.not_before, served.not_after, renewal_at


def wrong_name(seen: Iterable[Seen]) -> Iterator[Measurement]:
    """1 when a served certificate is not made out to the name that users ask for."""
    for one in seen:
        if one.certificate is None:
            yield Measurement(subject=one.subject, problem=one.problem)
            continue
        fits = any(name_fits(name, one.endpoint.name) for name in one.certificate.names)
        names = ", ".join(one.certificate.names[:20]) or "no name at all"
        evidence = "" if fits else f"asked for {one.endpoint.name}, it is made out to {names}"
        yield Measurement(subject=one.subject, value=int(not fits), evidence=evidence)


def untrusted(seen: Iterable[Seen]) -> Iterator[Measurement]:
    """1 when the chain that is served does not lead to an authority that we trust."""
    for one in seen:
        served = one.certificate
        if served is None:
            yield Measurement(subject=one.subject, problem=one.problem)
        elif served.untrusted is not None:
            value, said = int(bool(served.untrusted)), served.untrusted
            yield Measurement(
                subject=one.subject, value=value, evidence=f"{said}; {served.told}" if said else ""
            )


def other_than_issued_minutes(seen: Sequence[Seen], issued: Issued) -> Iterator[Measurement]:
    """For how long an endpoint has been serving another certificate than its object holds; 0 when it is that one."""
    known = issued.by_name()
    for one in seen:
        name = one.endpoint.certificate
        if name is None:
            continue
        holds, served = known.get(name), one.certificate
        problem = one.problem or (holds.no_dates if holds else f"there is no Certificate {name}")
        if served is None or holds is None or problem:
            yield Measurement(subject=one.subject, problem=problem)
        elif _is_the_issued(served, holds):
            yield Measurement(subject=one.subject, value=0, evidence=served.told)
        else:
            yield _other(one.subject, served, holds, issued)


def _other(subject: str, served: ServedCertificate, holds: CertificateFacts, issued: Issued) -> Measurement:
    since = issued.issued_at(holds)
    older = holds.not_after is not None and served.not_after < holds.not_after
    evidence = (
        f"served: {_span(served.not_before, served.not_after)}; the Certificate {holds.subject} holds: "
        f"{_span(holds.not_before, holds.not_after)}"
        + ("; it was renewed, and what serves it has not loaded the new one" if older else "")
        + f"; {served.told}"
    )
    return Measurement(subject=subject, value=max(1.0, minutes_between(since, issued.now)), evidence=evidence)


def _span(begin: datetime | None, end: datetime | None) -> str:
    return " to ".join(f"{one:%Y-%m-%d %H:%M:%S}" if one else "?" for one in (begin, end)) + " UTC"


def _is_the_issued(served: ServedCertificate, holds: CertificateFacts) -> bool:
    """By both dates; a status without notBefore, as old versions left it, by the other one."""
    same_begin = holds.not_before is None or holds.not_before == served.not_before
    return same_begin and holds.not_after == served.not_after


def name_fits(pattern: str, name: str) -> bool:
    """Whether a name in a certificate covers the name asked for (RFC 9525: * stands for one whole label).

    >>> name_fits("*.example.com", "docs.example.com"), name_fits("*.example.com", "a.docs.example.com")
    (True, False)
    >>> name_fits("Example.com", "example.com."), name_fits("10.0.0.1", "10.0.0.1"), name_fits("*.com", "10.0.0.1")
    (True, True, False)
    """
    if address := _address(name):
        return _address(pattern) == address
    pattern, name = _ascii(pattern), _ascii(name)
    if pattern.startswith("*."):
        label, dot, rest = name.partition(".")
        return bool(label and dot) and rest == pattern[2:]
    return pattern == name


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _ascii(name: str) -> str:
    """Lower case, without a dot at the end, and as DNS spells it."""
    name = name.rstrip(".").lower()
    try:
        return name.encode("idna").decode("ascii") if not name.isascii() else name
    except UnicodeError:
        return name
