"""A first sample of counters, so that the check task after it can look at a window. No worker waits meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

FIRST = "first sample of "


class SampleOperator(BaseOperator):
    """Keeps the counters of an area's checks in the history, then parks until the window is over.

    The sample is kept under a run id of its own: to the check task it is what an earlier run measured.

    :param area: the area whose checks read counters
    :param window_minutes: how long to wait (templated); 0: take no sample, and compare with the last one that was kept
    """

    template_fields: Sequence[str] = ("window_minutes",)
    ui_color = "#e8f4ea"

    def __init__(
        self,
        *,
        area: str,
        window_minutes: str = "{{ params.window_minutes }}",
        **options: Any,
    ) -> None:
        super().__init__(**{"retries": 0, **options})
        self.area = area
        self.window_minutes = window_minutes

    def execute(self, context: Context) -> None:
        """Sample, keep, park."""
        from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

        from docrag_ops.operators.asking import asking_of

        minutes = int(self.window_minutes)
        if not minutes:
            self.log.info("No window was asked for: the last sample that was kept is compared with.")
            return
        asking = asking_of(context)
        run = replace(asking.run, run_id=f"{FIRST}{asking.run.run_id}")
        kept = self._keep(replace(asking, run=run))
        if not kept:
            self.log.warning("No counter could be read; the check task says why.")
            return
        self.log.info("%s counters are kept; the next sample is in %s minutes.", kept, minutes)
        self.defer(trigger=TimeDeltaTrigger(timedelta(minutes=minutes)), method_name="resume")

    def _keep(self, asking: Any) -> int:
        from docrag_ops.core.checks import Reading
        from docrag_ops.core.errors import UnreachableError
        from docrag_ops.core.measurements import Measured
        from docrag_ops.hooks.history import HistoryHook
        from docrag_ops.operators.asking import ask_all

        checks = [one for one in asking.include.checks(self.area) if one.reading is not Reading.VALUE]
        outcomes = ask_all(checks, asking)
        samples = [
            (check.name, str(check.limits.unit), measurement, None)
            for check in checks
            if isinstance(outcome := outcomes[check.name], Measured)
            for measurement in outcome.measurements
            if measurement.is_a_number
        ]
        try:
            HistoryHook().record_area(
                asking.run, self.area, findings=[], samples=samples, at=datetime.now(UTC)
            )
        except UnreachableError as error:
            raise AirflowFailException(f"The first sample is not kept: {error}") from error
        return len(samples)

    def resume(self, context: Context, event: Any = None) -> None:
        """The window is over."""
