"""The result contract: what a check task hands on, and what the report makes of all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from docrag_ops.core.findings import Finding, NotJudged
from docrag_ops.core.texts import shortened
from docrag_ops.core.verdicts import Verdict, worst

MOST_SUBJECTS = 50
TASK_BYTES = 64 * 1024
_SMALLER_EVIDENCE_BYTES = (2048, 512, 128, 0)


@dataclass(frozen=True, kw_only=True)
class AreaResult:
    """What the check task of one area found; a task's XCom."""

    area: str
    findings: tuple[Finding, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()

    @property
    def verdict(self) -> Verdict | None:
        """The worst verdict; None when nothing was to be judged here."""
        return worst(finding.verdict for finding in self.findings) if self.findings else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "area": self.area,
            "findings": [finding.to_dict() for finding in self.findings],
            "not_judged": [entry.to_dict() for entry in self.not_judged],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AreaResult:
        """The reverse of `to_dict`."""
        return cls(
            area=data["area"],
            findings=tuple(Finding.from_dict(finding) for finding in data["findings"]),
            not_judged=tuple(NotJudged.from_dict(entry) for entry in data["not_judged"]),
        )

    def within_limits(self) -> AreaResult:
        """The same result with at most 50 bad subjects per check and 64 KiB in all; what is left out is counted."""
        for size_bytes in _SMALLER_EVIDENCE_BYTES:
            for most in (MOST_SUBJECTS, 10, 1):
                smaller = replace(self, findings=_fewer(self.findings, most=most, evidence_bytes=size_bytes))
                if _size_bytes(smaller) <= TASK_BYTES:
                    return smaller
                if size_bytes > 128:
                    break
        return smaller


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a whole run came to; the XCom of `report`, and what history keeps."""

    environment: str
    entry: str
    run_id: str
    findings: tuple[Finding, ...]
    not_judged: tuple[NotJudged, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict; `unknown` when nothing at all was judged."""
        return worst(finding.verdict for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The result contract."""
        return {
            "environment": self.environment,
            "entry": self.entry,
            "run_id": self.run_id,
            "verdict": str(self.verdict),
            "findings": [finding.to_dict() for finding in self.findings],
            "not_judged": [entry.to_dict() for entry in self.not_judged],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunResult:
        """The reverse of `to_dict`."""
        return cls(
            environment=data["environment"],
            entry=data["entry"],
            run_id=data["run_id"],
            findings=tuple(Finding.from_dict(finding) for finding in data["findings"]),
            not_judged=tuple(NotJudged.from_dict(entry) for entry in data["not_judged"]),
        )


def merge(areas: Iterable[AreaResult], *, environment: str, entry: str, run_id: str) -> RunResult:
    """One result of all areas, the worst findings first."""
    parts = list(areas)
    findings = sorted(
        (finding for part in parts for finding in part.findings),
        key=lambda finding: -finding.verdict.severity,
    )
    not_judged = tuple(entry for part in parts for entry in part.not_judged)
    return RunResult(
        environment=environment, entry=entry, run_id=run_id, findings=tuple(findings), not_judged=not_judged
    )


def _fewer(findings: Sequence[Finding], *, most: int, evidence_bytes: int) -> tuple[Finding, ...]:
    kept: list[Finding] = []
    dropped: dict[str, list[Finding]] = {}
    seen: dict[str, int] = {}
    for finding in findings:
        if finding.verdict is not Verdict.OK:
            seen[finding.check] = seen.get(finding.check, 0) + 1
            if seen[finding.check] > most:
                dropped.setdefault(finding.check, []).append(finding)
                continue
        kept.append(replace(finding, evidence=shortened(finding.evidence, size_bytes=evidence_bytes)))
    return (*kept, *(_count_of(rest) for rest in dropped.values()))


def _count_of(rest: list[Finding]) -> Finding:
    names = ", ".join(finding.subject for finding in rest[:10])
    return replace(
        rest[0],
        subject=f"{len(rest):,} more",
        verdict=worst(finding.verdict for finding in rest),
        value=None,
        evidence=shortened(f"among them {names}; all of them are kept in history", size_bytes=512),
    )


def _size_bytes(result: AreaResult) -> int:
    return len(json.dumps(result.to_dict()).encode())
