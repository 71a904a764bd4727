"""
# Deliver alarms

**Question.** Has everybody been told what they have to be told?

**Runs** every five minutes: a failed run's own callback sends its alarm at once, and this sends what could not be
sent then, what no callback saw (a run marked failed in the UI), and import errors. The oldest first, for at most two
minutes; what a channel does not take is tried again by the next run, then less and less often, at last once an hour,
and at once when somebody triggers it. It changes nothing.

Alertmanager is told of all open findings again, as it forgets on restart, and of `Watchdog`, an alert that always
fires: when it ends, nobody delivers alarms any more.

**Test.** Trigger it with *Send a test alarm* to see that messages arrive.

**If it fails** an alarm was not taken, or the history or Alertmanager does not answer; the red task says which.
Nothing is lost: alarms are kept, in files while the history is down. However long it stays red, that is one alarm
in six hours; `daily_health_check` finds alarms that wait (`alarm_undelivered`).
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from docrag_ops.entry import scheduled_entry
from docrag_ops.operators.alerts import AlertmanagerOperator
from docrag_ops.operators.deliver import DeliverAlarmsOperator

with DAG(
    dag_id="deliver_alarms",
    schedule="*/5 * * * *",
    doc_md=__doc__,
    tags=["continuous", "alarms", "reads"],
    **scheduled_entry(
        late_after=timedelta(minutes=15),
        dagrun_timeout=timedelta(minutes=20),
        params={
            "send_test": Param(
                False,
                type="boolean",
                title="Send a test alarm",
                description_md="Send a message that says that it is a test, over every channel of `docrag_alarm`.",
            )
        },
    ),
):
    deliver_kept_alarms = DeliverAlarmsOperator(task_id="deliver_kept_alarms")
    tell_alertmanager = AlertmanagerOperator(task_id="tell_alertmanager")
