"""Alarms in files: whole or not there, once each, lent to one sender at a time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from docrag_ops.core.alarms import Alarm, failed_run
from docrag_ops.core.errors import UnreachableError
from docrag_ops.hooks.alarm_spool import AlarmSpool

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def failed(run_id: str = "1", clear_number: int | None = 0, at: datetime = NOW) -> Alarm:
    return failed_run(dag_id="daily_health_check", run_id=run_id, clear_number=clear_number, at=at)


@pytest.fixture
def spool(tmp_path: Path) -> AlarmSpool:
    return AlarmSpool(tmp_path / "logs" / "docrag-alarms")


def test_same_alarm_is_kept_once(spool: AlarmSpool):
    spool.record(failed())
    spool.record(failed())
    assert [one.alarm for one in spool.waiting()] == [failed()]
    assert list(spool.folder.glob("*.partial")) == []


def test_alarm_without_a_clear_number_is_that_of_its_run(spool: AlarmSpool):
    spool.record(failed(clear_number=3))
    spool.record(failed(clear_number=None))
    assert [one.alarm.clear_number for one in spool.waiting()] == [3]


def test_oldest_is_sent_first(spool: AlarmSpool):
    spool.record(failed("young"))
    spool.record(failed("old", at=NOW - timedelta(hours=1)))
    assert spool.claim().alarm.run_id == "old"


def test_claimed_alarm_is_nobody_elses(spool: AlarmSpool):
    spool.record(failed())
    assert spool.claim(failed()) is not None
    assert spool.claim() is None
    assert [one.claimed for one in spool.waiting()] == [True]


def test_delivered_alarm_is_not_sent_again_and_stays_until_the_history_knows(spool: AlarmSpool):
    spool.record(failed())
    spool.delivered(spool.claim(), channels=["JSON #1"], message="…")
    spool.record(failed())
    assert (spool.claim(), spool.waiting()) == (None, [])
    handed = []
    assert spool.drain(lambda alarm, **options: handed.append(options)) == 1
    assert handed[0]["delivered_at"] is not None


def test_refused_alarm_is_tried_again_with_those_who_took_it_left_out(spool: AlarmSpool):
    spool.record(failed())
    spool.put_back(spool.claim(), channels=["Slack #1"], error="JSON #2: refused")
    assert spool.waiting()[0].last_error == "JSON #2: refused"
    assert spool.claim().channels == ("Slack #1",)


def test_second_refusal_is_left_alone_for_a_while(spool: AlarmSpool):
    spool.record(failed())
    for _ in range(2):
        spool.put_back(spool.claim(), channels=[], error="refused")
    assert spool.claim() is None


def test_drained_alarms_are_gone_from_the_files(spool: AlarmSpool):
    spool.record(failed("1"))
    spool.record(failed("2"))
    handed = []
    spool.drain(lambda alarm, **_: handed.append(alarm.run_id))
    assert (handed, list(spool.folder.glob("*.json"))) == (["1", "2"], [])


def test_what_the_history_does_not_take_stays(spool: AlarmSpool):
    def refuse(*_: object, **__: object) -> None:
        raise UnreachableError("down")

    spool.record(failed())
    with pytest.raises(UnreachableError):
        spool.drain(refuse)
    assert len(spool.waiting()) == 1


def test_alarm_that_is_being_sent_is_not_drained(spool: AlarmSpool):
    spool.record(failed())
    spool.claim()
    assert spool.drain(lambda *_, **__: None) == 0


def test_file_that_cannot_be_read_does_not_hide_the_others(spool: AlarmSpool, caplog):
    spool.record(failed())
    (spool.folder / "broken.json").write_text("{")
    assert len(spool.waiting()) == 1
    assert "broken.json" in caplog.text


def test_spool_that_was_never_used_is_empty(spool: AlarmSpool):
    assert (spool.claim(), spool.waiting(), spool.drain(lambda *_: None)) == (None, [], 0)
