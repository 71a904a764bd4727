"""The trivy-operator: a VulnerabilityReport per container and a ConfigAuditReport per object that makes pods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.quantities import rfc3339
from tests.sandbox.cluster.world import World, reference

Object = dict[str, Any]
API = "aquasecurity.github.io/v1alpha1"
SCANNED = ("ReplicaSet", "StatefulSet", "DaemonSet")
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN")
UNFIXED = {
    "vulnerabilityID": "CVE-2023-45853",
    "resource": "zlib1g",
    "installedVersion": "1:1.2.13.dfsg-1",
    "fixedVersion": "",
    "severity": "CRITICAL",
    "title": "zlib: integer overflow in zipOpenNewFileInZip4_6",
    "primaryLink": "https://avd.aquasec.com/nvd/cve-2023-45853",
}
MEDIUM = {
    "vulnerabilityID": "CVE-2024-26462",
    "resource": "libkrb5-3",
    "installedVersion": "1.20.1-2+deb12u2",
    "fixedVersion": "1.20.1-2+deb12u3",
    "severity": "MEDIUM",
    "title": "krb5: memory leak",
    "primaryLink": "https://avd.aquasec.com/nvd/cve-2024-26462",
}
PASSED = {
    "checkID": "KSV001",
    "title": "Can elevate its own privileges",
    "severity": "MEDIUM",
    "success": True,
}
FAILED = {"checkID": "KSV011", "title": "CPU not limited", "severity": "LOW", "success": False}


def report(world: World) -> None:
    """Scan everything that has pods, the last time within the last hours; without the definitions, nothing."""
    if world.registry.at("aquasecurity.github.io", "v1alpha1", "vulnerabilityreports") is None:
        return
    for kind in ("VulnerabilityReport", "ConfigAuditReport"):
        world.objects.pop(kind, None)  # those of objects that are gone go with them
    scanned = rfc3339(datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2))
    for kind in SCANNED:
        for owner in world.all(kind):
            if kind == "ReplicaSet" and not owner["spec"]["replicas"]:
                continue
            for container in owner["spec"]["template"]["spec"]["containers"]:
                vulnerabilities(world, owner, container, scanned)
            audit(world, owner, scanned)


def vulnerabilities(world: World, owner: Object, container: Object, scanned: str) -> None:
    """What was found in an image: one thing that nobody has mended yet, and one of no importance."""
    repository, _, tag = container["image"].partition(":")
    found = [UNFIXED, MEDIUM]
    report = {
        "updateTimestamp": scanned,
        "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "0.58.1"},
        "registry": {"server": "index.docker.io"},
        "artifact": {"repository": repository, "tag": tag},
        "summary": summary(found),
        "vulnerabilities": found,
    }
    labels = {"trivy-operator.container.name": container["name"]}
    _put(world, "VulnerabilityReport", owner, f"-{container['name']}", labels, report, scanned)


def audit(world: World, owner: Object, scanned: str) -> None:
    """What was found in an object's settings."""
    report = {
        "updateTimestamp": scanned,
        "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "0.23.0"},
        "summary": summary([FAILED]),
        "checks": [PASSED, FAILED],
    }
    _put(world, "ConfigAuditReport", owner, "", {}, report, scanned)


def summary(found: list[Object]) -> Object:
    """Counts by severity, as a report's summary has them."""
    return {
        f"{severity.lower()}Count": sum(one["severity"] == severity for one in found)
        for severity in SEVERITIES
    }


def _put(
    world: World, kind: str, owner: Object, suffix: str, labels: Object, report: Object, created: str
) -> None:
    metadata = owner["metadata"]
    name = f"{owner['kind'].lower()}-{metadata['name']}{suffix}"
    common = {
        "app.kubernetes.io/managed-by": "trivy-operator",
        "trivy-operator.resource.kind": owner["kind"],
        "trivy-operator.resource.name": metadata["name"],
        "trivy-operator.resource.namespace": metadata["namespace"],
    }
    world.put(
        {
            "apiVersion": API,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "uid": identity.uid(kind, metadata["namespace"], name),
                "creationTimestamp": created,
                "labels": {**common, **labels},
                "ownerReferences": reference(owner),
            },
            "report": report,
        }
    )
