"""Which run something belongs to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunKey:
    """Which run something belongs to."""

    environment: str
    entry: str
    run_id: str

    def to_columns(self) -> dict[str, str]:
        """As columns of every table."""
        return {"environment": self.environment, "entry": self.entry, "run_id": self.run_id}
