"""What earlier runs recorded of their work on the database, as far as later ones have to finish it."""

from __future__ import annotations

from typing import Any

from docrag_ops.core.maintenance.plan import NAME, Action
from docrag_ops.hooks.change_records import ChangeRecords


class MaintenanceRecords(ChangeRecords):
    """The audit record, asked about rebuilds and partitions."""

    def rebuilds_started(self, environment: str, target: str) -> frozenset[tuple[str, str]]:
        """Schema and name of every index whose rebuild was ever begun."""
        details = self._details_of_steps(environment, target, Action.REBUILD, ended_badly=False)
        return frozenset((str(one["schema"]), str(one["index"])) for one in details)

    def partitions_not_dropped(self, environment: str, target: str) -> list[dict[str, Any]]:
        """The details of every step that was to drop a partition and did not come to its end."""
        return self._details_of_steps(environment, target, Action.DROP_PART, ended_badly=True)

    def _details_of_steps(
        self, environment: str, target: str, action: Action, *, ended_badly: bool
    ) -> list[dict[str, Any]]:
        from docrag_ops.core.changes import StepOutcome
        from docrag_ops.hooks.history_tables import changes

        bad = (StepOutcome.STARTED, StepOutcome.FAILED)
        records = self._records(changes.c.environment == environment, changes.c.change_name == NAME)
        return [
            dict(record.plan.steps[step.number].details)
            for record in records
            for step in record.steps
            if (step.action, step.target) == (action, target) and (step.outcome in bad or not ended_badly)
        ]
