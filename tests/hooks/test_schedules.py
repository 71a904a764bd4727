"""Schedules as DAG files say them, without running them."""

from datetime import timedelta
from pathlib import Path

import pytest

from docrag_ops.core.entries import LATE_AFTER
from docrag_ops.core.errors import DefinitionError
from docrag_ops.hooks.schedules import schedules

HEAD = "from airflow.sdk import DAG\n"


def read(tmp_path: Path, text: str):
    (tmp_path / "daily_x.py").write_text(HEAD + text)
    [found] = schedules(tmp_path)
    return found


def test_schedule_and_how_late_it_may_be(tmp_path: Path):
    text = "with DAG(schedule='0 9 * * *', **scheduled_entry(late_after=timedelta(hours=9))):\n    ReportOperator()\n"
    found = read(tmp_path, text)
    assert (found.entry, found.cron, found.late_after, found.reports) == (
        "daily_x",
        "0 9 * * *",
        timedelta(hours=9),
        True,
    )


def test_constant_of_the_file_is_its_value(tmp_path: Path):
    text = "LATE = timedelta(hours=7)\nwith DAG(schedule='0 9 * * *', **scheduled_entry(late_after=LATE)):\n    pass\n"
    assert read(tmp_path, text).late_after == timedelta(hours=7)


def test_runbook_has_no_schedule(tmp_path: Path):
    assert read(tmp_path, "with DAG(**runbook()):\n    pass\n").cron == ""
    assert read(tmp_path, "with DAG(schedule=None):\n    pass\n").cron == ""


def test_usual_lateness_is_that_of_entries(tmp_path: Path):
    found = read(tmp_path, "with DAG(schedule='0 9 * * *', **scheduled_entry()):\n    pass\n")
    assert found.late_after == LATE_AFTER
    assert found.reports is False


def test_schedule_that_is_no_literal_is_refused(tmp_path: Path):
    with pytest.raises(DefinitionError, match=r"'schedule' in dags/daily_x.py is 'CRON'; expected a literal"):
        read(tmp_path, "with DAG(schedule=CRON):\n    pass\n")
