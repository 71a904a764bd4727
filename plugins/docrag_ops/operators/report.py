"""The report task: all findings of a run, recorded and rendered; red when the run is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, TriggerRule
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.core.alerts import Silence
    from docrag_ops.core.results import AreaResult, RunResult
    from docrag_ops.operators.alerts import Told

ENDED_WELL = frozenset({"success", "skipped"})
TEMPLATE = "reports/report.txt.j2"


class ReportOperator(BaseOperator):
    """Reads the findings of every check task before it, red ones included, records them and renders the report.

    Runs whatever became of those tasks. A task that pushed no findings is one `unknown` finding. Pushes the result
    (the contract) as its XCom, then raises when a finding is `critical` or `unknown` or a task before it failed:
    as the only leaf it decides the run.
    """

    ui_color = "#e6eef8"

    def __init__(self, **options: Any) -> None:
        super().__init__(retries=0, trigger_rule=TriggerRule.ALL_DONE, **options)

    def execute(self, context: Context) -> None:
        """Gather, record, render, hand on; then be as red as the run."""
        from docrag_ops.core.results import merge
        from docrag_ops.hooks.dead_man import tell_dead_man
        from docrag_ops.operators.alerts import tell_alertmanager
        from docrag_ops.operators.asking import environment_of

        areas = [self._area(task_id, state, context) for task_id, state in self._states(context).items()]
        result = merge(
            areas, environment=environment_of(context), entry=context["dag"].dag_id, run_id=context["run_id"]
        )
        result, rendered, trouble = self._record(result)
        told = tell_alertmanager(
            result, task_instance=context["ti"], dag=context["dag"], task_id=self.task_id
        )
        result, rendered, trouble = self._record_what_was_told(result, told, rendered, trouble)
        tell_dead_man(result.entry, run_type=context["dag_run"].run_type)
        context["ti"].xcom_push(key="return_value", value=result.to_dict())
        self.log.info("\n%s", rendered)
        bad = [finding for finding in result.findings if finding.verdict.fails]
        if trouble:
            raise AirflowFailException(
                f"Nothing was recorded: {trouble}. The findings are in this task's log."
            )
        if result.verdict.fails:
            names = ", ".join(dict.fromkeys(f"{finding.check} is {finding.verdict}" for finding in bad))
            raise AirflowFailException(f"The verdict is {result.verdict}: {names or 'nothing was judged'}")

    def _states(self, context: Context) -> dict[str, str]:
        """The state of every task before this one, in the order of their names."""
        ti = context["ti"]
        upstream = sorted(self.upstream_task_ids)
        states = ti.get_task_states(
            dag_id=context["dag"].dag_id, task_ids=upstream, run_ids=[context["run_id"]]
        )
        by_task = states.get(context["run_id"], {})
        return {task_id: str(by_task.get(task_id) or "unknown") for task_id in upstream}

    def _area(self, task_id: str, state: str, context: Context) -> AreaResult:
        """What a task handed on; a failed task whose findings do not say why is a finding itself."""
        from docrag_ops.core.own_findings import task_left_nothing
        from docrag_ops.core.results import AreaResult

        pushed = context["ti"].xcom_pull(task_ids=task_id, key="return_value")
        area = AreaResult.from_dict(pushed) if pushed else AreaResult(area=task_id)
        told = any(finding.verdict.fails for finding in area.findings)
        silent = not area.findings and not area.not_judged and state != "skipped"
        if silent or (state not in ENDED_WELL and not told):
            return AreaResult(
                area=area.area,
                findings=(*area.findings, task_left_nothing(task_id, state=state)),
                not_judged=area.not_judged,
            )
        return area

    def _record_what_was_told(
        self, result: RunResult, told: Told, rendered: str, trouble: str
    ) -> tuple[RunResult, str, str]:
        """Record the report again, with what Alertmanager has silenced, or that it could not be told."""
        from dataclasses import replace

        from docrag_ops.core.rendering import render
        from docrag_ops.hooks.include import IncludeFolder

        if told == type(told)():
            return result, rendered, trouble
        result = replace(
            result,
            findings=(*told.findings, *result.findings),
            not_judged=(*result.not_judged, *told.not_judged),
        )
        if trouble:  # the history did not answer a moment ago: only say it
            template = IncludeFolder().text(TEMPLATE)
            options = {"changes": [], "silences": told.silences or ()}
            return result, render(template, result=result, at=datetime.now(UTC), **options), trouble
        return self._record(result, silences=told.silences)

    def _record(
        self, result: RunResult, *, silences: Sequence[Silence] | None = None
    ) -> tuple[RunResult, str, str]:
        """The result as it is handed on, the rendered report, and why nothing was recorded (empty when it was)."""
        from dataclasses import replace

        from docrag_ops.core.errors import UnreachableError
        from docrag_ops.core.own_findings import history_not_written
        from docrag_ops.core.rendering import render
        from docrag_ops.hooks.change_records import ChangeRecords
        from docrag_ops.hooks.include import IncludeFolder

        template, now, records = IncludeFolder().text(TEMPLATE), datetime.now(UTC), ChangeRecords()
        try:
            changes = records.of_run(entry=result.entry, run_id=result.run_id)
            rendered = render(template, result=result, at=now, changes=changes, silences=silences or ())
            kept = None if silences is None else [silence.to_dict() for silence in silences]
            records.record_report(result, rendered=rendered, at=now, silences=kept)
        except UnreachableError as error:
            lost = history_not_written(self.task_id, reason=str(error))
            result = replace(result, findings=(lost, *result.findings))
            return result, render(template, result=result, at=now, changes=[], silences=()), str(error)
        return result, rendered, ""
