"""Findings and what is not judged, in the shape of the result contract."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from docrag_ops.core.verdicts import Verdict


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A check's verdict about one subject, with its evidence.

    `value` and `limit` are in `unit`; `limit` is the one that was crossed, or the nearest one when ok.
    """

    check: str
    subject: str
    verdict: Verdict
    value: float | None = None
    unit: str = ""
    limit: float | None = None
    evidence: str = ""
    remedy: str = ""
    runbook: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, as XCom and history keep it."""
        return {**asdict(self), "verdict": str(self.verdict)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """The reverse of `to_dict`."""
        return cls(**{**data, "verdict": Verdict(data["verdict"])})


@dataclass(frozen=True, kw_only=True)
class NotJudged:
    """A question that does not apply here, or has no baseline yet. It is no verdict and never counts as ok."""

    check: str
    subject: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, as XCom and history keep it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NotJudged:
        """The reverse of `to_dict`."""
        return cls(**data)
