"""Reports of the trivy-operator: what its scans found in the images and settings of the workloads.

A report that is missing says nothing: the scan may have failed, or its report may have been too large to be stored
(trivy-operator #441). Source: https://aquasecurity.github.io/trivy-operator/latest/docs/crds/
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from docrag_ops.core.cluster.quantities import parse_time
from docrag_ops.core.environments import Workload
from docrag_ops.core.measurements import Measurement
from docrag_ops.core.scan_results import CLOCKS_DIFFER
from docrag_ops.core.units import Unit, format_value

GROUP = "aquasecurity.github.io"
SEVERITIES = ("critical", "high", "medium", "low", "unknown")
NAMED = 5
Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFacts:
    """A VulnerabilityReport (of one container) or a ConfigAuditReport (no container).

    `counts` are by severity, in lower case; `to_fix` the names of what can be mended, by severity: vulnerabilities
    that a newer version does not have, checks that failed.
    """

    namespace: str
    owner_kind: str
    owner: str
    container: str
    image: str
    updated_at: datetime | None
    counts: Mapping[str, int]
    to_fix: Mapping[str, tuple[str, ...]]

    @property
    def subject(self) -> str:
        """What was scanned, as a person names it."""
        container = f" {self.container}" if self.container else ""
        return f"{self.namespace}/{self.owner_kind}/{self.owner}{container}"


def vulnerability_report(item: Json) -> ReportFacts:
    """Facts of one VulnerabilityReport. One whose list was left out counts by its summary: all might be mended."""
    report = item.get("report") or {}
    artifact = report.get("artifact") or {}
    counts = _counts(report.get("summary") or {})
    listed = report.get("vulnerabilities")
    if listed:
        names = [
            (str(one.get("severity", "")).lower(), _vulnerability(one))
            for one in listed
            if one.get("fixedVersion")
        ]
    else:
        names = [(severity, "not listed") for severity, count in counts.items() for _ in range(count)]
    image = "/".join(filter(None, ((report.get("registry") or {}).get("server"), artifact.get("repository"))))
    return _report(
        item, counts, names, image=f"{image}:{artifact.get('tag') or artifact.get('digest') or '?'}"
    )


def _vulnerability(one: Json) -> str:
    versions = f"{one.get('installedVersion', '?')} -> {one['fixedVersion']}"
    return f"{one.get('vulnerabilityID', '?')} in {one.get('resource', '?')} {versions}"


def audit_report(item: Json) -> ReportFacts:
    """Facts of one ConfigAuditReport."""
    report = item.get("report") or {}
    failed = [one for one in report.get("checks") or () if not one.get("success")]
    names = [
        (str(one.get("severity", "")).lower(), f"{one.get('checkID', '?')} {one.get('title', '')}".strip())
        for one in failed
    ]
    counts = _counts(report.get("summary") or {})
    if not names:
        names = [(severity, "not listed") for severity, count in counts.items() for _ in range(count)]
    return _report(item, counts, names, image="")


def _counts(summary: Json) -> dict[str, int]:
    return {severity: int(summary.get(f"{severity}Count") or 0) for severity in SEVERITIES}


def _report(
    item: Json, counts: dict[str, int], names: Iterable[tuple[str, str]], *, image: str
) -> ReportFacts:
    meta = item["metadata"]
    labels = meta.get("labels") or {}
    owner: Json = next((one for one in meta.get("ownerReferences") or () if one.get("kind")), {})
    to_fix: dict[str, list[str]] = {}
    for severity, name in names:
        to_fix.setdefault(severity, []).append(name)
    return ReportFacts(
        namespace=meta["namespace"],
        owner_kind=owner.get("kind") or labels.get("trivy-operator.resource.kind", "?"),
        owner=owner.get("name") or labels.get("trivy-operator.resource.name") or meta["name"],
        container=labels.get("trivy-operator.container.name", ""),
        image=image,
        updated_at=parse_time((item.get("report") or {}).get("updateTimestamp")),
        counts=counts,
        to_fix={severity: tuple(found) for severity, found in to_fix.items()},
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ScannedFacts:
    """A workload or ReplicaSet, as far as scans are concerned. `owner`: the Deployment that a ReplicaSet is of."""

    namespace: str
    kind: str
    name: str
    owner: str
    replicas: int
    containers: tuple[str, ...]


def scanned_facts(kind: str, item: Json) -> ScannedFacts:
    """Facts of a Deployment, ReplicaSet, StatefulSet or DaemonSet. A DaemonSet has no number of replicas: 1."""
    meta, spec = item["metadata"], item["spec"]
    pod = spec["template"]["spec"]
    replicas = 1 if kind == "DaemonSet" else spec.get("replicas", 1)
    return ScannedFacts(
        namespace=meta["namespace"],
        kind=kind,
        name=meta["name"],
        owner=next(
            (str(one["name"]) for one in meta.get("ownerReferences") or () if one.get("controller")), ""
        ),
        replicas=replicas or 0,
        containers=tuple(
            one["name"] for key in ("initContainers", "containers") for one in pod.get(key) or ()
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """What there is to scan, the reports about it, and from when on they count."""

    objects: tuple[ScannedFacts, ...]
    workloads: Mapping[str, Workload]
    now: datetime
    max_age: timedelta
    _by_name: dict[tuple[str, str, str], ScannedFacts] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._by_name.update({(one.namespace, one.kind, one.name): one for one in self.objects})

    def expected(self) -> Iterator[tuple[str, tuple[ScannedFacts, ...]]]:
        """Every workload of the environment with what its reports are about: a Deployment's are its ReplicaSets'."""
        for name, workload in self.workloads.items():
            subject = f"{workload.namespace}/{workload.kind}/{name}"
            if workload.kind == "Deployment":
                sets = (one for one in self.objects if one.kind == "ReplicaSet" and one.owner == name)
                yield (
                    subject,
                    tuple(one for one in sets if one.namespace == workload.namespace and one.replicas),
                )
            else:
                known = self._by_name.get((workload.namespace, workload.kind, name))
                yield subject, (known,) if known else ()

    def current(self, reports: Iterable[ReportFacts]) -> list[ReportFacts]:
        """Reports but for those of ReplicaSets that are scaled down: yesterday's releases."""
        return [
            one
            for one in reports
            if (known := self._by_name.get((one.namespace, one.owner_kind, one.owner))) is None
            or known.replicas
        ]


def ages(reports: Collection[ReportFacts], scanned: Scanned, *, by_container: bool) -> Iterator[Measurement]:
    """Days since the scan of every workload of the environment; without a report, or with an old one, a problem."""
    by_scanned: dict[tuple[str, str, str, str], ReportFacts] = {}
    for one in reports:
        by_scanned[one.namespace, one.owner_kind, one.owner, one.container] = one
    for subject, objects in scanned.expected():
        if not objects:
            yield Measurement(
                subject=subject,
                problem="there is nothing of it to scan: it does not exist, or has no replica",
            )
        for found in objects:
            for container in found.containers if by_container else ("",):
                key = (found.namespace, found.kind, found.name, container)
                named = f"{subject} {container}".rstrip()
                yield _age(named, found, by_scanned.get(key), scanned)


def _age(subject: str, found: ScannedFacts, report: ReportFacts | None, scanned: Scanned) -> Measurement:
    about = f"{found.kind} {found.name}"
    if report is None:
        return Measurement(
            subject=subject, problem=f"there is no report about {about}, which does not make it clean"
        )
    if report.updated_at is None:
        return Measurement(subject=subject, problem=f"the report about {about} does not say when it was made")
    age = scanned.now - report.updated_at
    said = f"{about} was scanned {report.updated_at:%Y-%m-%d %H:%M} UTC"
    days = age.total_seconds() / 86_400
    if age < -CLOCKS_DIFFER:
        return Measurement(subject=subject, problem=f"{said}, which is in the future: check the clocks")
    if age > scanned.max_age:
        most = format_value(scanned.max_age.total_seconds(), Unit.SECONDS)
        return Measurement(subject=subject, value=days, problem=f"{said}; a report says nothing after {most}")
    return Measurement(subject=subject, value=days, evidence=said)


def to_fix(reports: Iterable[ReportFacts], severity: str, scanned: Scanned) -> Iterator[Measurement]:
    """How much of one severity can be mended, in each image or object that is in use."""
    for one in scanned.current(reports):
        names = one.to_fix.get(severity, ())
        counts = (
            ", ".join(f"{one.counts[name]:,} {name}" for name in SEVERITIES if one.counts[name]) or "nothing"
        )
        scanned_at = f"{one.updated_at:%Y-%m-%d %H:%M} UTC" if one.updated_at else "no time"
        said = [one.image, f"found: {counts}", f"scanned {scanned_at}", *names[:NAMED]]
        if len(names) > NAMED:
            said.append(f"and {len(names) - NAMED:,} more")
        evidence = "; ".join(filter(None, said))
        yield Measurement(subject=one.subject, value=len(names), evidence=evidence)
