"""What makes two alarms the same, and what waits."""

from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.alarms import Alarm, Kind, Waiting, failed_run, import_error, undelivered_minutes
from docrag_ops.hooks.include import INCLUDE

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def failed(dag_id: str = "daily_health_check", clear_number: int = 0, at: datetime = NOON, **facts) -> Alarm:
    return failed_run(dag_id=dag_id, run_id=f"manual__{at}", clear_number=clear_number, at=at, **facts)


def test_same_run_is_the_same_alarm_whoever_tells_it():
    assert failed(reason="task_failure").file_name == failed(link="http://x").file_name


def test_cleared_run_that_fails_again_is_another_alarm():
    assert failed(clear_number=0).file_name != failed(clear_number=1).file_name


def test_alarm_survives_json():
    alarm = failed(reason="timed_out")
    assert Alarm.from_dict(alarm.to_dict()) == alarm


@pytest.mark.parametrize(("hours", "is_the_same"), [(1, True), (5, True), (6, False), (24, False)])
def test_deliver_alarms_that_stays_red_is_one_alarm_in_six_hours(hours: int, is_the_same: bool):
    first, later = (failed("deliver_alarms", at=NOON + timedelta(hours=one)) for one in (0, hours))
    assert (first.file_name == later.file_name) is is_the_same


def test_deliver_alarms_alarm_still_knows_its_run():
    assert failed("deliver_alarms").facts["run_id"] == f"manual__{NOON}"


def test_import_error_is_the_same_at_another_address():
    one, other = (
        import_error(file="a.py", stacktrace=f"<module at {address}> failed", at=NOON)
        for address in ("0x7f01", "0x7fff")
    )
    assert one.file_name == other.file_name


def test_other_error_in_the_same_file_is_another_alarm():
    one, other = (import_error(file="a.py", stacktrace=text, at=NOON) for text in ("NameError", "TypeError"))
    assert one.file_name != other.file_name


def test_endless_traceback_is_cut():
    alarm = import_error(file="a.py", stacktrace="x" * 1_000_000, at=NOON)
    assert len(alarm.facts["text"]) < 5000


def test_oldest_alarm_that_waits_is_measured():
    alarms = [failed(at=NOON - timedelta(minutes=minutes)) for minutes in (3, 30)]
    waiting = [Waiting(alarm=alarm, tries=2, last_error="refused") for alarm in alarms]
    measured = undelivered_minutes(waiting, NOON)
    assert measured.value == 30
    assert "2 alarms wait" in measured.evidence


def test_no_alarm_that_waits_is_zero():
    assert undelivered_minutes([], NOON).value == 0


def test_kinds_are_those_of_the_templates():
    templates = (INCLUDE / "reports/alarms").glob("*.txt.j2")
    assert set(Kind) == {template.name.removesuffix(".txt.j2") for template in templates}
