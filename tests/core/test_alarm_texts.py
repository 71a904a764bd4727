"""Messages: what, where, since when, evidence, remedy, runbook, link."""

from datetime import UTC, datetime

import pytest

from docrag_ops.core.alarm_texts import Known, Message, compose
from docrag_ops.core.alarms import Alarm, Kind, failed_run, import_error
from docrag_ops.core.results import AreaResult, merge
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks.include import IncludeFolder
from tests.core.making import finding
from tests.core.test_rendering import HOSTILE

NOW = datetime(2026, 7, 1, 9, 0, 30, tzinfo=UTC)
LINK = "http://airflow.example/dags/daily_health_check/runs/manual__1"


def message(alarm: Alarm, **known) -> Message:
    return compose(
        alarm, Known(**known), template=IncludeFolder().text(f"reports/alarms/{alarm.kind}.txt.j2")
    )


def failed(*findings, reason: str = "task_failure", **known) -> Message:
    alarm = failed_run(
        dag_id="daily_health_check", run_id="manual__1", clear_number=0, at=NOW, reason=reason, link=LINK
    )
    if findings:
        area = AreaResult(area="redis", findings=findings)
        result = merge([area], environment="docrag-prod", entry=alarm.dag_id, run_id="manual__1")
        known = {"result": result, **known}
    return message(alarm, **known)


def test_title_says_how_bad_where_and_what():
    title = failed(finding("redis_ping", subject="cache", evidence="refused")).title
    assert title == "CRITICAL in docrag-prod: redis_ping: cache (daily_health_check)"


def test_text_has_all_that_an_operator_needs():
    bad = finding("redis_ping", subject="cache", evidence="connection refused")
    text = failed(bad, since={("redis_ping", "cache"): NOW}).text
    wanted = ["connection refused", bad.remedy, bad.runbook, LINK, "Since: 2026-07-01 09:00 UTC"]
    assert [one for one in wanted if one not in text] == []


def test_link_comes_before_the_findings_so_that_a_cut_message_has_it():
    text = failed(finding(evidence="why")).text
    assert text.index(LINK) < text.index("why")


def test_killed_task_is_named_with_how_it_ended():
    tasks = {"check_redis": "failed", "check_qdrant": "success", "report": "upstream_failed"}
    written = failed(missing="the run recorded no report", tasks=tasks)
    assert written.title == "daily_health_check failed: a task failed"
    assert "Tasks: check_redis ended failed\n" in written.text
    assert "the run recorded no report" in written.text


def test_run_out_of_time_is_said_in_words_with_the_tasks_that_were_stopped():
    written = failed(reason="timed_out", tasks={"check_redis": "skipped", "check_qdrant": "success"})
    assert "took longer than it may" in written.title
    assert "Tasks: check_redis ended skipped\n" in written.text


def test_run_marked_failed_is_said_in_words():
    reason = "Dag Run's state was manually set to `failed`."
    assert failed(reason=reason).title == "daily_health_check failed: somebody marked the run failed"


def test_many_findings_are_counted_not_listed():
    many = [
        finding("pod_restarts", subject=f"pod-{number}", evidence=f"why {number}") for number in range(40)
    ]
    written = failed(*many)
    assert "and 39 more" in written.title
    assert "32 more are in the run's report" in written.text


def test_many_subjects_of_one_check_do_not_hide_another():
    pods = [finding("pod_crash_looping", subject=f"pod-{number}", evidence="x") for number in range(40)]
    text = failed(*pods, finding("postgres_connect", subject="postgres", evidence="takes nobody")).text
    assert "takes nobody" in text
    assert "33 more are in the run's report: pod_crash_looping (33)" in text


def test_one_cause_of_many_checks_has_a_title_to_read_and_none_of_their_remedies():
    lost = [
        finding(f"check_{n}", subject="all", verdict=Verdict.UNKNOWN, evidence="HTTP 401", remedy=f"Do {n}.")
        for n in range(9)
    ]
    written = failed(*lost)
    assert written.title == (
        "UNKNOWN in docrag-prod: check_0, check_1, check_2 and 6 more checks (daily_health_check)"
    )
    assert "Do 0." not in written.text
    assert "Remedy: Mend what the evidence says" in written.text


def test_warnings_are_counted_only():
    text = failed(finding("a", evidence="why"), finding("b", verdict=Verdict.WARNING, evidence="hm")).text
    assert "1 warnings" in text
    assert "hm" not in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_on_its_line(hostile: str):
    plain = failed(finding(subject="pod", evidence="why"))
    written = failed(finding(subject=hostile, evidence=hostile))
    assert len(written.text.splitlines()) == len(plain.text.splitlines())
    assert "\n" not in written.title


def test_late_run_says_since_when_and_what_it_does():
    facts = {"state": "running", "since": "09:00", "deadline": "09:30", "link": LINK, "run_id": "manual__1"}
    alarm = Alarm(
        kind=Kind.LATE, dag_id="daily_health_check", run_id="m", clear_number=1, happened_at=NOW, facts=facts
    )
    written = message(alarm, tasks={"check_redis": "running", "check_qdrant": "success"})
    assert written.title == "daily_health_check is late: not finished by 09:30"
    assert "check_redis is running\n" in written.text


def test_import_error_shows_the_file_and_the_last_line_first():
    trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\nNameError: name 'x' is not defined"
    written = message(import_error(file="/dags/a.py", stacktrace=trace, at=NOW, link="http://airflow/dags"))
    assert written.title == "A DAG file no longer imports: /dags/a.py"
    assert "Evidence: NameError: name 'x' is not defined" in written.text


def test_empty_import_error_is_still_a_message():
    assert message(import_error(file="a.py", stacktrace="", at=NOW, link="")).title


def test_test_alarm_says_that_nothing_is_wrong():
    alarm = Alarm(
        kind=Kind.TEST,
        dag_id="deliver_alarms",
        run_id="m",
        clear_number=0,
        happened_at=NOW,
        facts={"by": "ada", "link": LINK},
    )
    assert "ada asked for this message; nothing is wrong" in message(alarm).text


def test_question_says_what_is_asked_why_until_when_and_where_to_answer():
    facts = {
        "text": "Delete 3 files.",
        "reason": "share: 94 %, beyond the limit of 90 %",
        "by": "alice",
        "deadline": "2026-07-01 17:00 UTC",
        "link": LINK,
    }
    alarm = Alarm(
        kind=Kind.APPROVAL,
        dag_id="daily_log_maintenance",
        run_id="1",
        clear_number=0,
        happened_at=NOW,
        facts=facts,
    )
    asked = message(alarm)
    assert asked.title == "daily_log_maintenance asks: Delete 3 files."
    assert [fact for fact in facts.values() if fact not in asked.text] == []
