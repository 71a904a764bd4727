"""`measure: {certificates: NAME}`: cert-manager's objects, and what the environment's TLS endpoints really serve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from docrag_ops.core import certificates, tls
from docrag_ops.core.certificates import CertificateFacts, Issued
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome
from docrag_ops.core.security_sections import CertificatesSection
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.tls import TlsHook
from docrag_ops.operators.asking import Answers, Asking, answer_each, remembered

AT_ONCE = 8
BASE = f"/apis/{certificates.GROUP}/v1/namespaces"
Facts = TypeVar("Facts")

OBJECTS: dict[str, Callable[[Issued], Iterable[Measurement]]] = {
    "not_ready_minutes": certificates.not_ready_minutes,
    "issuing_minutes": certificates.issuing_minutes,
    "failed_attempts": certificates.failed_attempts,
    "renewal_overdue_minutes": certificates.renewal_overdue_minutes,
    "days_left": certificates.days_left,
    "window_left": certificates.window_left,
}
SERVED: dict[str, Callable[[Sequence[tls.Seen], Issued], Iterable[Measurement]]] = {
    "served_days_left": tls.days_left,
    "served_window_left": tls.window_left,
    "served_wrong_name": lambda seen, issued: tls.wrong_name(seen),
    "served_untrusted": lambda seen, issued: tls.untrusted(seen),
}


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question; objects are read once, endpoints asked once."""
    looking = _Looking(asking)
    return answer_each(checks, looking.ask)


class _Looking:
    """One look at the objects and at the endpoints, each when it is first needed; a failure is remembered too."""

    def __init__(self, asking: Asking) -> None:
        section, cluster = asking.environment.certificates, asking.environment.cluster
        if section is None or cluster is None:
            raise CouldNotMeasureError(
                "the environment has no section 'cluster' or no section 'certificates'"
            )
        self.section: CertificatesSection = section
        self._namespaces = cluster.namespaces
        self._now = asking.now
        self._hook = ClusterHook()
        self.is_installed = remembered(lambda: certificates.GROUP in self._hook.api_groups())
        self.certificates = remembered(lambda: self._list("certificates", certificates.certificate_facts))
        self.requests = remembered(lambda: self._list("certificaterequests", certificates.request_facts))
        self.seen = remembered(self._see)

    def ask(self, check: Check) -> Outcome:
        """Answer one question."""
        if check.asked in SERVED:
            return self._served(SERVED[check.asked])
        if check.asked == "served_other":
            return self._served(tls.other_than_issued_minutes, needs_objects=True)
        if not self.is_installed():
            return self._not_installed()
        if check.asked == "missing":
            if not self.section.named:
                return NotConfigured("not configured: the environment names no Certificate")
            return Measured(tuple(certificates.missing(self._issued(), self.section.named)))
        return Measured(tuple(OBJECTS[check.asked](self._issued())))

    def _not_installed(self) -> Outcome:
        reason = f"the cluster has no cert-manager (no API group {certificates.GROUP})"
        if self.section.named:
            raise CouldNotMeasureError(
                f"{reason}, but the environment names Certificates: {', '.join(self.section.named)}"
            )
        return NotConfigured(f"not configured: {reason}")

    def _served(
        self,
        question: Callable[[Sequence[tls.Seen], Issued], Iterable[Measurement]],
        *,
        needs_objects: bool = False,
    ) -> Outcome:
        if not self.section.endpoints:
            return NotConfigured("not configured: the environment names no TLS endpoint")
        if needs_objects and self.section.named and not self.is_installed():
            return self._not_installed()
        return Measured(tuple(question(self.seen(), self._issued(or_none=not needs_objects))))

    def _issued(self, *, or_none: bool = False) -> Issued:
        """What cert-manager holds; `or_none`: an endpoint is measured also when that cannot be read."""
        try:
            found: Sequence[CertificateFacts] = (
                self.certificates() if self.section.named or not or_none else ()
            )
        except CouldNotMeasureError:
            if not or_none:
                raise
            found = ()
        return Issued(certificates=found, requests=self.requests, now=self._now)

    def _list(self, kind: str, to_facts: Callable[[Any], Facts]) -> list[Facts]:
        return [
            one
            for namespace in self._namespaces
            for one in self._hook.list_items(f"{BASE}/{namespace}/{kind}", to_facts)
        ]

    def _see(self) -> list[tls.Seen]:
        hook = TlsHook()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [seen for all_seen in pool.map(hook.see, self.section.endpoints) for seen in all_seen]
