"""Approving: a person decides on the whole plan, where policy is not enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator

from docrag_ops.operators.changes.flow import PLAN_TEMPLATE, required_record

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.core.change_record import ChangeRecord


class ApproveOperator(ApprovalOperator):
    """Has a person decide on the whole plan, where policy is not enough; Reject unless they approve in time.

    A dry run and an empty plan end here; what is within policy goes on without a person. The decision is kept with
    the digest of the plan it was made on.

    :param change: the change kind
    :param response_timeout: how long a person has; shorter than the entry's period
    """

    template_fields = ("subject", "body")
    ui_color = "#f3d9a4"
    applies = False

    def __init__(
        self,
        *,
        change: str,
        response_timeout: timedelta,
        **options: Any,
    ) -> None:
        # An answer within about a second of parking fails the task once: apache/airflow #66374, #71580.
        super().__init__(
            **{
                "subject": f"Approve {change} in {{{{ params.environment }}}}?",
                "defaults": self.REJECT,
                "retries": 2,
                "retry_delay": timedelta(seconds=2),
                "execution_timeout": None,
                **options,
            },
            response_timeout=response_timeout,
        )
        self.change = change

    def execute(self, context: Context) -> Any:
        """Go on where policy is enough, end where nothing may be done, else show the plan and wait."""
        from docrag_ops.core.changes import Decision
        from docrag_ops.core.rendering import render
        from docrag_ops.hooks.change_records import ChangeRecords
        from docrag_ops.operators.asking import asking_of

        asking, records = asking_of(context), ChangeRecords()
        record = required_record(records, asking, self.change)
        if record.dry_run or not record.plan.steps:
            self.log.info("A dry run ends here." if record.dry_run else "There is nothing to do.")
            self.skip(ti=context["ti"], tasks=context["task"].get_direct_relatives(upstream=False))
            return None
        if not record.ask:
            records.record_decision(
                record.id, Decision.POLICY, by="policy", digest=record.digest, at=asking.now
            )
            return None
        self.body = render(asking.include.text(PLAN_TEMPLATE), record=record)
        self._call_somebody(context, record)
        return super().execute(context)

    def _call_somebody(self, context: Context, record: ChangeRecord) -> None:
        """Tell people that one of them is asked, until when, and where to answer."""
        from docrag_ops.core.alarms import Alarm, Kind
        from docrag_ops.hooks.links import minute
        from docrag_ops.operators.delivery import keep_and_deliver

        now, run = datetime.now(UTC), context["dag_run"]
        facts = {
            "run_id": run.run_id,
            "text": record.plan.summary,
            "reason": record.ask,
            "by": record.requested_by,
            "deadline": minute(now + self.response_timeout) if self.response_timeout else "",
            "link": self.generate_link_to_ui(task_instance=context["ti"]),
        }
        keep_and_deliver(
            Alarm(
                kind=Kind.APPROVAL,
                dag_id=context["dag"].dag_id,
                run_id=run.run_id,
                clear_number=run.clear_number,
                happened_at=now,
                facts=facts,
            )
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Keep who decided what, before the tasks after this one run or are skipped."""
        from docrag_ops.core.changes import Decision
        from docrag_ops.hooks.change_records import ChangeRecords
        from docrag_ops.operators.asking import asking_of

        asking, records = asking_of(context), ChangeRecords()
        record = required_record(records, asking, self.change)
        user = event.get("responded_by_user") or {}
        if not user:
            decision = Decision.EXPIRED
        else:
            approved = event.get("chosen_options") == [self.APPROVE]
            decision = Decision.APPROVED if approved else Decision.REJECTED
        name = user.get("name") or user.get("id") or "nobody"
        records.record_decision(record.id, decision, by=name, digest=record.digest, at=asking.now)
        return super().execute_complete(context=context, event=event)
