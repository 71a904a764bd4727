"""Certificates that are not renewed, and scans that are missing, old or bad. The groups are hidden by gate.py."""

from __future__ import annotations

from typing import Any

from tests.sandbox.cluster.controllers import certificates, scanner
from tests.sandbox.cluster.faults.bystanders import NAMESPACE
from tests.sandbox.cluster.faults.registry import Since, fault
from tests.sandbox.cluster.world import World, condition

Object = dict[str, Any]
DAY = 24 * 60
ABSENT_GROUPS = {"cert_manager_absent": "cert-manager.io", "trivy_operator_absent": "aquasecurity.github.io"}
RATE_LIMITED = (
    "Failed to wait for order resource to become ready: 429 urn:ietf:params:acme:error:rateLimited: too many "
    "certificates already issued for this exact set of domains"
)


def _bystander(world: World) -> Object:
    return world.need("Certificate", NAMESPACE, "prometheus-tls")


@fault()
def certificate_expired(world: World, since: Since) -> None:
    """The Certificate prometheus-tls has expired, and says Ready=True all the same."""
    _bystander(world)["status"].update(
        notBefore=since.ago(91 * DAY), notAfter=since.ago(DAY), renewalTime=since.ago(31 * DAY)
    )


@fault()
def certificate_not_ready(world: World, since: Since) -> None:
    """The Certificate prometheus-tls is being issued anew for 70 minutes, without an end."""
    status = _bystander(world)["status"]
    reason, message = "DoesNotExist", "Issuing certificate as Secret does not exist"
    status["conditions"] = [
        condition("Ready", "False", reason, message, since.ago(70)),
        condition("Issuing", "True", reason, message, since.ago(70)),
    ]


@fault()
def certificate_issuance_failed(world: World, since: Since) -> None:
    """The issuer has refused to renew prometheus-tls three times; what it holds is good for now."""
    certificate = _bystander(world)
    bad = condition("Ready", "False", "Failed", RATE_LIMITED, since.ago(20))
    certificates.request(world, certificate, 2, since.ago(25), [bad])
    certificate["status"].update(failedIssuanceAttempts=3, lastFailureTime=since.ago(20))
    certificate["status"]["conditions"].append(
        condition(
            "Issuing", "False", "Failed", f"The certificate request has failed: {RATE_LIMITED}", since.ago(20)
        )
    )


@fault()
def certificate_without_status(world: World, since: Since) -> None:
    """cert-manager has never looked at the Certificate prometheus-tls."""
    del _bystander(world)["status"]


@fault()
def certificate_not_reloaded(world: World, since: Since) -> None:
    """doc-rag-tls was renewed two hours ago, and what serves it still has the old one."""
    certificate = world.need("Certificate", NAMESPACE, "doc-rag-tls")
    certificate["status"].update(
        notBefore=since.ago(120), notAfter=since.ago(-90 * DAY), renewalTime=since.ago(-60 * DAY), revision=2
    )
    issued = condition(
        "Ready", "True", "Issued", "Certificate fetched from issuer successfully", since.ago(120)
    )
    certificates.request(world, certificate, 2, since.ago(121), [issued])


@fault()
def cert_manager_absent(world: World, since: Since) -> None:
    """There is no cert-manager: its API group is not served, 404 in plain text."""


@fault(settled=True)
def scan_report_missing(world: World, since: Since) -> None:
    """There is no vulnerability report about nginx, as after a failed scan."""
    for report in _reports(world, "VulnerabilityReport", "nginx"):
        world.remove(report)


@fault(settled=True)
def scan_reports_old(world: World, since: Since) -> None:
    """Nothing was scanned for four days."""
    for kind in ("VulnerabilityReport", "ConfigAuditReport"):
        for report in world.all(kind):
            report["report"]["updateTimestamp"] = since.ago(4 * DAY)


@fault(settled=True)
def image_vulnerable(world: World, since: Since) -> None:
    """The image of nginx has a critical vulnerability that a newer one does not have."""
    found = {
        **scanner.UNFIXED,
        "vulnerabilityID": "CVE-2024-6387",
        "resource": "openssh-client",
        "installedVersion": "1:9.2p1-2+deb12u2",
        "fixedVersion": "1:9.2p1-2+deb12u3",
    }
    for report in _reports(world, "VulnerabilityReport", "nginx"):
        report["report"]["vulnerabilities"] = [*report["report"]["vulnerabilities"], found]
        report["report"]["summary"] = scanner.summary(report["report"]["vulnerabilities"])


@fault(settled=True)
def pod_privileged(world: World, since: Since) -> None:
    """The audit of fluentd's DaemonSet says that it is privileged."""
    found = {"checkID": "KSV017", "title": "Privileged", "severity": "CRITICAL", "success": False}
    for report in _reports(world, "ConfigAuditReport", "fluentd"):
        report["report"]["checks"] = [*report["report"]["checks"], found]
        report["report"]["summary"] = scanner.summary([scanner.FAILED, found])


@fault()
def trivy_operator_absent(world: World, since: Since) -> None:
    """There is no trivy-operator: its API group is not served, 404 in plain text."""


def _reports(world: World, kind: str, workload: str) -> list[Object]:
    """The reports about a workload."""
    found = [one for one in world.all(kind) if f"-{workload}" in one["metadata"]["name"]]
    if not found:
        raise LookupError(f"there is no {kind} about {workload!r}; another fault may have removed it")
    return found
