"""cert-manager's objects, and what they say about the certificates that they keep.

A `Certificate` may have no status at all, and `Ready=True` does not mean that it has not expired
(cert-manager #7895): the dates are looked at. Source: https://cert-manager.io/docs/reference/api-docs/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from docrag_ops.core.cluster.facts import ConditionFacts, condition_facts
from docrag_ops.core.cluster.quantities import minutes_between, parse_time
from docrag_ops.core.measurements import Measurement

GROUP = "cert-manager.io"
NAMED_BY = f"{GROUP}/certificate-name"
# Limits in days fit a certificate that is renewed three weeks or more before its end, as one of 90 days is at 2/3 of
# its life; one that is renewed later is always that near to its end, and is judged by the share that is left.
RENEWED_EARLY = timedelta(days=21)
RENEWED_AT = 2 / 3
Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateFacts:
    """A Certificate. Without a status nothing is known but that it was asked for."""

    subject: str
    created_at: datetime | None
    has_status: bool
    not_before: datetime | None
    not_after: datetime | None
    renewal_at: datetime | None
    failed_attempts: int
    last_failure_at: datetime | None
    conditions: Mapping[str, ConditionFacts]

    @property
    def no_dates(self) -> str:
        """Why the dates are not known; empty when they are."""
        if self.not_after is not None:
            return ""
        return (
            "it has no notAfter" if self.has_status else "it has no status: cert-manager has not looked at it"
        )


def certificate_facts(certificate: Json) -> CertificateFacts:
    """Facts of one item of `GET /apis/cert-manager.io/v1/namespaces/NAMESPACE/certificates`."""
    meta, status = certificate["metadata"], certificate.get("status") or {}
    return CertificateFacts(
        subject=f"{meta['namespace']}/{meta['name']}",
        created_at=parse_time(meta.get("creationTimestamp")),
        has_status=bool(status),
        not_before=parse_time(status.get("notBefore")),
        not_after=parse_time(status.get("notAfter")),
        renewal_at=parse_time(status.get("renewalTime")),
        failed_attempts=int(status.get("failedIssuanceAttempts") or 0),
        last_failure_at=parse_time(status.get("lastFailureTime")),
        conditions={condition.type: condition for condition in condition_facts(status)},
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestFacts:
    """A CertificateRequest: one attempt to have a certificate issued. `failed` says why it came to nothing."""

    name: str
    certificate: str
    created_at: datetime | None
    failed: str
    issued_at: datetime | None


def request_facts(request: Json) -> RequestFacts:
    """Facts of one item of `GET /apis/cert-manager.io/v1/namespaces/NAMESPACE/certificaterequests`."""
    meta = request["metadata"]
    conditions = {one.type: one for one in condition_facts(request.get("status") or {})}
    ready = conditions.get("Ready")
    refused = [one for name in ("Denied", "InvalidRequest") if (one := conditions.get(name))]
    bad = [one for one in refused if one.status == "True"]
    if ready and ready.status == "False" and ready.reason in ("Failed", "Denied"):
        bad.append(ready)
    return RequestFacts(
        name=f"{meta['namespace']}/{meta['name']}",
        certificate=f"{meta['namespace']}/{(meta.get('annotations') or {}).get(NAMED_BY) or _owner(meta)}",
        created_at=parse_time(meta.get("creationTimestamp")),
        failed=f"{bad[0].reason}: {bad[0].message}" if bad else "",
        issued_at=ready.changed_at if ready and ready.status == "True" else None,
    )


def _owner(meta: Json) -> str:
    owners = meta.get("ownerReferences") or ()
    return next((str(one["name"]) for one in owners if one.get("kind") == "Certificate"), str(meta["name"]))


@dataclass(frozen=True, kw_only=True)
class Issued:
    """What cert-manager holds, at a time."""

    certificates: Sequence[CertificateFacts]
    requests: Callable[[], Sequence[RequestFacts]]
    now: datetime

    def by_name(self) -> dict[str, CertificateFacts]:
        """The certificates by NAMESPACE/NAME."""
        return {one.subject: one for one in self.certificates}

    def issued_at(self, certificate: CertificateFacts) -> datetime | None:
        """When what the object holds now was issued: its newest request that came to something, else notBefore."""
        times = [
            one.issued_at
            for one in self.requests()
            if one.certificate == certificate.subject and one.issued_at
        ]
        return max(times, default=certificate.not_before)


def missing(issued: Issued, expected: Iterable[str]) -> Iterator[Measurement]:
    """0 for each named Certificate that exists and has a status; what is not there is a problem."""
    there = issued.by_name()
    for name in expected:
        if name not in there:
            yield Measurement(subject=name, problem="there is no such Certificate")
            continue
        problem = "" if there[name].has_status else there[name].no_dates
        yield Measurement(subject=name, value=0, problem=problem)


def not_ready_minutes(issued: Issued) -> Iterator[Measurement]:
    """For how long a Certificate has not been Ready; one without a status, since it was created."""
    for one in issued.certificates:
        ready = one.conditions.get("Ready")
        if ready and ready.status == "True":
            yield Measurement(subject=one.subject, value=0)
            continue
        since = ready.changed_at if ready else None
        said = f"{ready.reason}: {ready.message}" if ready else one.no_dates or "it has no Ready condition"
        minutes = minutes_between(since or one.created_at, issued.now)
        yield Measurement(subject=one.subject, value=minutes, evidence=said)


def issuing_minutes(issued: Issued) -> Iterator[Measurement]:
    """For how long a Certificate has been being issued."""
    for one in issued.certificates:
        issuing = one.conditions.get("Issuing")
        if issuing is None or issuing.status != "True":
            yield Measurement(subject=one.subject, value=0)
            continue
        minutes = minutes_between(issuing.changed_at, issued.now)
        yield Measurement(subject=one.subject, value=minutes, evidence=f"{issuing.reason}: {issuing.message}")


def failed_attempts(issued: Issued) -> Iterator[Measurement]:
    """Attempts that came to nothing since the last that did: as the Certificate counts, or its failed requests."""
    failed: dict[str, list[RequestFacts]] = {}
    for request in issued.requests():
        if request.failed:
            failed.setdefault(request.certificate, []).append(request)
    for one in issued.certificates:
        since = issued.issued_at(one)
        lately = [
            request
            for request in failed.pop(one.subject, ())
            if since is None or request.created_at is None or request.created_at > since
        ]
        yield _failed(one.subject, max(one.failed_attempts, len(lately)), lately, one)
    for name, requests in failed.items():
        yield _failed(name, len(requests), requests, None)


def _failed(
    subject: str, count: int, requests: Sequence[RequestFacts], certificate: CertificateFacts | None
) -> Measurement:
    said = [f"{one.name}: {one.failed}" for one in requests[-3:]]
    issuing = certificate.conditions.get("Issuing") if certificate else None
    if count and issuing and issuing.status == "False":
        said.append(f"{issuing.reason}: {issuing.message}")
    if count and certificate and certificate.last_failure_at:
        said.append(f"last failure {certificate.last_failure_at:%Y-%m-%d %H:%M} UTC")
    return Measurement(subject=subject, value=count, evidence="; ".join(said))


def renewal_overdue_minutes(issued: Issued) -> Iterator[Measurement]:
    """For how long a renewal has been due."""
    for one in issued.certificates:
        if one.renewal_at is not None:
            evidence = f"renewal was due {one.renewal_at:%Y-%m-%d %H:%M} UTC"
            minutes = minutes_between(one.renewal_at, issued.now)
            yield Measurement(subject=one.subject, value=minutes, evidence=evidence if minutes else "")


def days_left(issued: Issued) -> Iterator[Measurement]:
    """Days to notAfter of every Certificate that is renewed early; one without dates is a problem."""
    for one in issued.certificates:
        if one.not_after is None:
            yield Measurement(subject=one.subject, problem=one.no_dates)
        elif is_renewed_early(one.not_before, one.not_after, one.renewal_at):
            yield days_to(one.subject, one.not_after, issued.now, _ready_lies(one, issued.now))


def window_left(issued: Issued) -> Iterator[Measurement]:
    """What is left of the time between renewal and notAfter, of every Certificate that is renewed late."""
    for one in issued.certificates:
        if one.not_after and not is_renewed_early(one.not_before, one.not_after, one.renewal_at):
            yield share_left(
                one.subject,
                (one.not_before, one.not_after, one.renewal_at),
                issued.now,
                _ready_lies(one, issued.now),
            )


def _ready_lies(one: CertificateFacts, now: datetime) -> str:
    ready = one.conditions.get("Ready")
    expired = one.not_after is not None and one.not_after <= now
    return "Ready=True all the same" if expired and ready and ready.status == "True" else ""


Dates = tuple[datetime | None, datetime, datetime | None]
"""notBefore, notAfter, and when it is renewed, as far as that is known."""


def is_renewed_early(
    not_before: datetime | None, not_after: datetime, renewal_at: datetime | None = None
) -> bool:
    """Whether days are the right measure for what is left."""
    return not_after - _renewal(not_before, not_after, renewal_at) >= RENEWED_EARLY


def _renewal(not_before: datetime | None, not_after: datetime, renewal_at: datetime | None) -> datetime:
    """When it is, or should be, renewed: at 2/3 of its life when nobody says otherwise."""
    if renewal_at is not None:
        return renewal_at
    if not_before is None:
        return not_after - RENEWED_EARLY
    return not_before + (not_after - not_before) * RENEWED_AT


def days_to(subject: str, not_after: datetime, now: datetime, *notes: str) -> Measurement:
    """Days until a certificate ends, negative when it has ended."""
    ended = "expired" if not_after <= now else "valid until"
    said = (f"{ended} {not_after:%Y-%m-%d %H:%M} UTC", *notes)
    return Measurement(
        subject=subject,
        value=(not_after - now).total_seconds() / 86_400,
        evidence="; ".join(filter(None, said)),
    )


def share_left(subject: str, dates: Dates, now: datetime, *notes: str) -> Measurement:
    """What is left of the time between renewal and end: 1 until the renewal is due, 0 when it has ended."""
    not_before, not_after, renewal_at = dates
    renewal = _renewal(not_before, not_after, renewal_at)
    window = (not_after - renewal).total_seconds()
    left = (not_after - now).total_seconds()
    share = min(1.0, max(0.0, left / window)) if window > 0 else float(left > 0)
    ended = "expired" if left <= 0 else "valid until"
    said = (
        f"{ended} {not_after:%Y-%m-%d %H:%M} UTC",
        f"renewal due {renewal:%Y-%m-%d %H:%M} UTC",
        *notes,
    )
    return Measurement(subject=subject, value=share, evidence="; ".join(filter(None, said)))
