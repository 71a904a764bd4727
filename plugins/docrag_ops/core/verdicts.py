"""The four verdicts and their order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """How a check turned out, from best to worst: ok, warning, unknown, critical.

    >>> Verdict.UNKNOWN.severity > Verdict.WARNING.severity
    True
    """

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    CRITICAL = "critical"

    @property
    def severity(self) -> int:
        """0 for ok up to 3 for critical."""
        return list(Verdict).index(self)

    @property
    def fails(self) -> bool:
        """Whether a run with such a finding is red."""
        return self in (Verdict.UNKNOWN, Verdict.CRITICAL)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of the verdicts; `unknown` when there is none, because nothing was judged."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.UNKNOWN)
