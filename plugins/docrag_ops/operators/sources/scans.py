"""`measure: {scans: NAME}`: what the security scanner found, and how long ago."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from docrag_ops.core import scan_reports
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome
from docrag_ops.core.scan_reports import ReportFacts, Scanned
from docrag_ops.core.scan_results import critical_to_fix, parse_results
from docrag_ops.core.security_sections import ScanCommand
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.operators.asking import Answers, Asking, answer_each, remembered

REPORTS_PER_PAGE = 10  # a report may be as large as etcd takes, 1.5 MB
KINDS = {
    "ReplicaSet": "replicasets",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
}
Facts = TypeVar("Facts")
Reports = Sequence[ReportFacts]

VULNERABILITIES: dict[str, Callable[[Reports, Scanned], Iterable[Measurement]]] = {
    "report_days": partial(scan_reports.ages, by_container=True),
    "critical_vulnerabilities": lambda reports, scanned: scan_reports.to_fix(reports, "critical", scanned),
    "high_vulnerabilities": lambda reports, scanned: scan_reports.to_fix(reports, "high", scanned),
}
AUDITS: dict[str, Callable[[Reports, Scanned], Iterable[Measurement]]] = {
    "audit_days": partial(scan_reports.ages, by_container=False),
    "critical_misconfigurations": lambda reports, scanned: scan_reports.to_fix(reports, "critical", scanned),
}


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question; reports are read once."""
    looking = _Looking(asking)
    return answer_each(checks, looking.ask)


class _Looking:
    """One look at the reports and results, each when it is first needed."""

    def __init__(self, asking: Asking) -> None:
        section, cluster = asking.environment.scans, asking.environment.cluster
        if section is None or cluster is None:
            raise CouldNotMeasureError("the environment has no section 'cluster' or no section 'scans'")
        self.section, self.cluster, self._now = section, cluster, asking.now
        self._hook = ClusterHook()
        self._is_installed = remembered(lambda: scan_reports.GROUP in self._hook.api_groups())
        self._scanned = remembered(self._scan)
        self._vulnerabilities = remembered(
            partial(self._reports, "vulnerabilityreports", scan_reports.vulnerability_report)
        )
        self._audits = remembered(partial(self._reports, "configauditreports", scan_reports.audit_report))

    def ask(self, check: Check) -> Outcome:
        """Answer one question."""
        if check.asked == "results":
            return self._results()
        if not self._is_installed():
            return self._not_installed()
        if check.asked in VULNERABILITIES:
            question, reports = VULNERABILITIES[check.asked], self._vulnerabilities
        else:
            question, reports = AUDITS[check.asked], self._audits
        return Measured(tuple(question(reports(), self._scanned())))

    def _not_installed(self) -> Outcome:
        reason = f"the cluster has no trivy-operator (no API group {scan_reports.GROUP})"
        if self.section.reports == "required" or self.section.results is None:
            raise CouldNotMeasureError(f"{reason}: nothing says that anything was scanned")
        return NotConfigured(f"not configured: {reason}")

    def _results(self) -> Outcome:
        told = self.section.results
        if told is None:
            return NotConfigured("not configured: the environment names no scans.results")
        workload = self.cluster.workloads[told.workload]
        pods = self._hook.ready_pods(workload.kind, workload.namespace, told.workload)
        if not pods:
            raise CouldNotMeasureError(f"{workload.namespace}/{told.workload} has no ready pod to ask")
        return Measured(tuple(one for pod in pods for one in self._results_of(pod, told)))

    def _results_of(self, pod: PodName, told: ScanCommand) -> list[Measurement]:
        where = f"{pod.namespace}/{pod.name}"
        try:
            done = self._hook.run(pod, told.container, told.command)
            if done.exit_code != 0:
                raise ValueError(f"it ended with {done.exit_code}: {(done.stderr or done.stdout)[:300]!r}")
            results = parse_results(done.stdout)
        except (CouldNotMeasureError, ValueError) as error:
            return [Measurement(subject=where, problem=f"{' '.join(told.command)}: {error}")]
        return [
            critical_to_fix(one, where=where, now=self._now, max_age=self.section.max_age) for one in results
        ]

    def _reports(self, plural: str, to_facts: Callable[[Any], ReportFacts]) -> list[ReportFacts]:
        base = f"/apis/{scan_reports.GROUP}/v1alpha1/namespaces"
        return self._list(f"{base}/{{}}/{plural}", to_facts, page_items=REPORTS_PER_PAGE)

    def _scan(self) -> Scanned:
        objects = [
            one
            for kind, plural in KINDS.items()
            for one in self._list(
                f"/apis/apps/v1/namespaces/{{}}/{plural}", partial(scan_reports.scanned_facts, kind)
            )
        ]
        return Scanned(
            objects=tuple(objects),
            workloads=self.cluster.workloads,
            now=self._now,
            max_age=self.section.max_age,
        )

    def _list(self, path: str, to_facts: Callable[[Any], Facts], page_items: int = 250) -> list[Facts]:
        return [
            one
            for namespace in self.cluster.namespaces
            for one in self._hook.list_items(path.format(namespace), to_facts, page_items=page_items)
        ]
