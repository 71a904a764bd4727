"""The task of `deliver_alarms`: sends what is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.core.alarms import Alarm, Waiting
    from docrag_ops.operators.delivery import Store

SENDING_SECONDS = 120.0
OTHERS_SECONDS = (
    20.0  # for a callback that is sending just now: one that was killed holds its claim for minutes
)


class DeliverAlarmsOperator(BaseOperator):
    """Sends every alarm that is kept and due, the oldest first, for at most two minutes; started by hand, also what is
    not due yet.

    Red when one was not taken, and when the history cannot be read: then it sends what the spool has.

    :param send_test: whether to send a test alarm first (templated)
    """

    template_fields: Sequence[str] = ("send_test",)
    ui_color = "#f6e8e0"

    def __init__(self, *, send_test: str = "{{ params.send_test }}", **options: Any) -> None:
        super().__init__(retries=0, **options)
        self.send_test = send_test

    def execute(self, context: Context) -> None:
        """Hand the spool to the history, send, then be as red as what is left."""
        from docrag_ops.core.errors import UnreachableError
        from docrag_ops.hooks.alarm_outbox import AlarmOutbox
        from docrag_ops.hooks.alarm_spool import AlarmSpool
        from docrag_ops.hooks.dead_man import tell_dead_man
        from docrag_ops.operators.delivery import keep

        if str(self.send_test) == "True":
            keep(_test_alarm(context))
        outbox, spool, trouble = AlarmOutbox(), AlarmSpool(), ""
        store: Store = outbox
        try:
            drained = spool.drain(outbox.record)
            self.log.info("The history took %d alarms that were kept in files", drained)
            outbox.waiting()
        except UnreachableError as error:
            store, trouble = spool, str(error)
        run_type = context["dag_run"].run_type  # an enum that is a str, whose str() is another one
        try:
            if run_type == "manual":
                settled(store)
                store.make_due()
            self._send_all(store)
            failing = [describe(one) for one in settled(store) if one.tries]
        except UnreachableError as error:
            failing, trouble = [], str(error)
        tell_dead_man(context["dag"].dag_id, run_type=run_type)
        if failing:
            trouble = f"{trouble} {len(failing)} alarms are not delivered: {'; '.join(failing[:10])}".strip()
        if trouble:
            raise AirflowFailException(trouble)

    def _send_all(self, store: Store) -> None:
        from docrag_ops.operators.delivery import deliver

        until, sent = time.monotonic() + SENDING_SECONDS, 0
        while time.monotonic() < until and (claimed := store.claim()):
            sent += deliver(store, claimed)
        self.log.info("%d alarms were delivered", sent)


def settled(store: Store) -> list[Waiting]:
    """What waits when nobody is sending any more, or at the end of our patience."""
    until = time.monotonic() + OTHERS_SECONDS
    while True:
        waiting = store.waiting()
        if time.monotonic() > until or not any(one.claimed for one in waiting):
            return waiting
        time.sleep(0.5)


def describe(one: Waiting) -> str:
    """The alarm, and why nobody was told."""
    sending = "somebody began to send it and has not come to an end" if one.claimed else ""
    return f"{one.alarm} ({'; '.join(filter(None, [sending, one.last_error]))})"


def _test_alarm(context: Context) -> Alarm:
    from docrag_ops.core.alarms import Alarm, Kind
    from docrag_ops.hooks.links import link_to

    run = context["dag_run"]
    return Alarm(
        kind=Kind.TEST,
        dag_id=run.dag_id,
        run_id=run.run_id,
        clear_number=run.clear_number or 0,
        happened_at=datetime.now(UTC),
        facts={
            "run_id": run.run_id,
            "by": run.triggering_user_name or "Somebody",
            "link": link_to(run.dag_id, run.run_id),
        },
    )
