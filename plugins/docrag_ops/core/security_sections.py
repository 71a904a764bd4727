"""What an environment says about its certificates and its security scans."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from docrag_ops.core.records import Record


class TlsEndpoint(Record):
    """A place where users are served over TLS, and the Certificate object that it should serve."""

    host: Annotated[str, Field(min_length=1, description="a host name or address, e.g. doc-rag.example.com")]
    port: Annotated[int, Field(ge=1, le=65535, description="a port, e.g. 443")] = 443
    server_name: Annotated[
        str | None, Field(min_length=1, description="the name users ask for, where it is not the host")
    ] = None
    certificate: Annotated[
        str | None,
        Field(
            pattern="^[^/]+/[^/]+$", description="the Certificate it serves, e.g. doc-rag-prod/doc-rag-tls"
        ),
    ] = None

    @property
    def name(self) -> str:
        """What clients ask for by SNI, and what the certificate has to be made out to."""
        return self.server_name or self.host


class CertificatesSection(Record):
    """Certificates that have to exist, and the endpoints that serve them."""

    expected: Annotated[
        tuple[str, ...],
        Field(description="cert-manager's Certificates that have to exist, e.g. [doc-rag-prod/doc-rag-tls]"),
    ] = ()
    endpoints: Annotated[
        tuple[TlsEndpoint, ...], Field(description="a list of host, port, server_name, certificate")
    ] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Every Certificate that is named here, once."""
        served = (one.certificate for one in self.endpoints if one.certificate)
        return tuple(dict.fromkeys((*self.expected, *served)))


class ScanCommand(Record):
    """A command in the scanner's pod that prints results as JSON."""

    workload: Annotated[
        str,
        Field(min_length=1, description="a workload named under cluster.workloads, e.g. security-scanner"),
    ]
    container: Annotated[str, Field(min_length=1, description="the container's name, e.g. security-scanner")]
    command: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="an argument list, no shell, e.g. [cat, /results/latest.json]"),
    ]


class ScansSection(Record):
    """Where the results of security scans are."""

    reports: Annotated[
        Literal["required", "optional"],
        Field(description="required where the trivy-operator scans; optional: asked where it is installed"),
    ] = "optional"
    results: Annotated[
        ScanCommand | None, Field(description="a mapping with workload, container and command")
    ] = None
    max_age_hours: Annotated[
        float, Field(gt=0, description="hours after which a result is none any more, e.g. 48")
    ] = 48

    @property
    def max_age(self) -> timedelta:
        """The age beyond which a result says nothing about today."""
        return timedelta(hours=self.max_age_hours)
