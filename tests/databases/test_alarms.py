"""The outbox and the record of open findings on a real PostgreSQL."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.alarms import Alarm, Kind, failed_run, import_error
from docrag_ops.core.alerts import OpenFinding
from docrag_ops.core.open_findings import Settlement
from docrag_ops.hooks.alarm_outbox import AlarmOutbox
from docrag_ops.hooks.alarm_spool import AlarmSpool
from docrag_ops.hooks.alert_records import AlertRecords
from docrag_ops.operators import deliver

pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("empty_outbox")]
NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
Connect = Callable[..., None]


@pytest.fixture
def empty_outbox(connect_to: Connect) -> None:
    from docrag_ops.hooks.history_tables import alarms, open_findings

    with AlarmOutbox().transaction() as connection:
        connection.execute(alarms.delete())
        connection.execute(open_findings.delete())


def failed(run_id: str = "1", clear_number: int | None = 0, at: datetime = NOW, **facts) -> Alarm:
    return failed_run(dag_id="daily_health_check", run_id=run_id, clear_number=clear_number, at=at, **facts)


def broken(at: datetime) -> Alarm:
    return import_error(file="/dags/a.py", stacktrace="NameError", at=at)


def test_alarm_that_is_raised_twice_is_one_and_knows_both_facts():
    outbox = AlarmOutbox()
    outbox.record(failed(reason="timed_out"))
    outbox.record(failed(started="09:00"))
    (waiting,) = outbox.waiting()
    assert waiting.alarm.facts == {"run_id": "1", "reason": "timed_out", "started": "09:00"}


def test_claimed_alarm_is_nobody_elses():
    outbox = AlarmOutbox()
    outbox.record(failed())
    assert outbox.claim(failed()) is not None
    assert (outbox.claim(failed()), AlarmOutbox().claim()) == (None, None)


def test_delivered_alarm_is_not_sent_again_however_often_it_is_raised():
    outbox = AlarmOutbox()
    outbox.record(failed())
    outbox.delivered(outbox.claim(), channels=["JSON #1"], message="…")
    outbox.record(failed())
    assert (outbox.claim(), outbox.waiting()) == (None, [])


def test_cleared_run_that_fails_again_is_told_again():
    outbox = AlarmOutbox()
    outbox.record(failed(clear_number=0))
    outbox.delivered(outbox.claim(), channels=[], message="…")
    outbox.record(failed(clear_number=1))
    assert outbox.claim().alarm.clear_number == 1


def test_callback_without_a_clear_number_means_the_newest_that_is_known():
    outbox = AlarmOutbox()
    outbox.record(failed(clear_number=2))
    outbox.record(failed(clear_number=None))
    assert [one.alarm.clear_number for one in outbox.waiting()] == [2]
    assert outbox.claim(failed(clear_number=None)) is not None


def test_refused_alarm_is_due_at_once_and_then_later():
    outbox = AlarmOutbox()
    outbox.record(failed())
    outbox.put_back(outbox.claim(), channels=["Slack #1"], error="refused")
    again = outbox.claim()
    assert (again.tries, again.channels) == (2, ("Slack #1",))
    outbox.put_back(again, channels=["Slack #1"], error="refused")
    assert outbox.claim() is None
    assert outbox.waiting()[0].last_error == "refused"


def test_sender_that_was_killed_is_forgotten_after_its_lease():
    outbox = AlarmOutbox()
    outbox.record(failed())
    killed = outbox.claim()
    with outbox.transaction() as connection:
        connection.exec_driver_sql("UPDATE alarms SET claimed_until = now() - interval '1 second'")
    assert outbox.claim().token != killed.token
    outbox.delivered(killed, channels=[], message="too late")
    assert len(outbox.waiting()) == 1


def test_alarm_that_is_being_sent_says_so_until_the_sender_ends():
    outbox = AlarmOutbox()
    outbox.record(failed())
    claimed = outbox.claim()
    assert [one.claimed for one in outbox.waiting()] == [True]
    outbox.put_back(claimed, channels=[], error="refused")
    assert [one.claimed for one in outbox.waiting()] == [False]


@pytest.mark.parametrize("slow", ["callback", "killed callback"])
def test_alarm_that_a_callback_is_sending_is_waited_for(monkeypatch, slow: str):
    monkeypatch.setattr(deliver, "OTHERS_SECONDS", 30.0 if slow == "callback" else 0.2)
    outbox = AlarmOutbox()
    outbox.record(failed())
    claimed = outbox.claim()
    if slow == "callback":
        ending = threading.Timer(1.0, outbox.delivered, [claimed], {"channels": [], "message": "…"})
        ending.start()
    left = [deliver.describe(one) for one in deliver.settled(outbox)]
    expected = "somebody began to send it and has not come to an end"
    assert left == ([] if slow == "callback" else [f"{failed()} ({expected})"])


def test_oldest_is_sent_first():
    outbox = AlarmOutbox()
    outbox.record(failed("young"))
    outbox.record(failed("old", at=NOW - timedelta(hours=1)))
    assert outbox.claim().alarm.run_id == "old"


def test_import_error_that_comes_with_every_parsing_is_one_alarm():
    outbox = AlarmOutbox()
    for minutes in (0, 30, 60, 110):
        outbox.record(broken(NOW + timedelta(minutes=minutes)))
    assert len(outbox.waiting()) == 1


def test_import_error_that_was_gone_for_a_while_alarms_again():
    outbox = AlarmOutbox()
    outbox.record(broken(NOW))
    outbox.record(broken(NOW + timedelta(hours=3)))
    assert [one.alarm.clear_number for one in outbox.waiting()] == [0, 1]


def test_what_the_spool_delivered_is_not_sent_again_by_the_outbox(tmp_path):
    outbox, spool = AlarmOutbox(), AlarmSpool(tmp_path / "spool")
    outbox.record(failed())
    spool.record(failed())
    spool.delivered(spool.claim(), channels=["JSON #1"], message="…")
    spool.drain(outbox.record)
    assert outbox.waiting() == []


def test_hostile_facts_are_kept(request):
    text = 'it\'s "100%" \\ {{ x }} $1 %s'
    outbox = AlarmOutbox()
    outbox.record(
        Alarm(kind=Kind.TEST, dag_id=text, run_id=text, clear_number=0, happened_at=NOW, facts={"by": text})
    )
    assert outbox.waiting()[0].alarm.facts == {"by": text}


def opened(check: str = "redis_memory", severity: str = "critical") -> OpenFinding:
    return OpenFinding(
        environment="prod",
        scope="",
        area="redis",
        check=check,
        subject="cache",
        severity=severity,
        entry="daily_health_check",
        run_id="1",
        first_seen_at=NOW,
        ends_at=NOW + timedelta(days=1),
        annotations={"summary": "full"},
    )


def settle(over: dict | None = None, seen: dict | None = None, opened: list | None = None) -> None:
    decided = Settlement(over=over or {}, seen=seen or {}, opened=opened or [])
    later = NOW + timedelta(days=2)
    AlertRecords().settle("prod", lambda _: decided, at=NOW + timedelta(hours=1), ends_at=later)


def test_open_finding_is_told_until_it_is_over_and_alertmanager_took_that():
    records = AlertRecords()
    settle(opened=[opened()])
    (one,) = records.to_tell("prod")
    settle(over={one.record_id: "within its limits"})
    (over,) = records.to_tell("prod")
    assert over.resolved_at == NOW + timedelta(hours=1)
    records.told([over], at=NOW)
    assert records.to_tell() == []


def test_finding_that_is_seen_again_keeps_its_age_and_is_expected_later():
    settle(opened=[opened()])
    (one,) = AlertRecords().to_tell("prod")
    settle(seen={one.record_id: {"summary": "fuller"}})
    (again,) = AlertRecords().to_tell("prod")
    assert (again.first_seen_at, again.annotations) == (NOW, {"summary": "fuller"})
    assert again.ends_at == NOW + timedelta(days=2)


def test_age_of_a_finding_is_that_of_its_oldest_severity():
    settle(opened=[opened()])
    assert AlertRecords().first_seen("prod") == {("redis_memory", "cache"): NOW}
    assert AlertRecords().first_seen("another") == {}
