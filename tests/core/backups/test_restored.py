"""What a restore is measured by."""

from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.backups import restore_measures as facts
from docrag_ops.core.backups.names import Span
from docrag_ops.core.backups.restored import (
    Restored,
    TableRows,
    is_about_what_is_not_there,
    is_the_dumps_fault,
    missing,
    other_versions,
)

TODAY = datetime(2026, 11, 25, tzinfo=UTC)
NOW = TODAY + timedelta(hours=22)


def restored(**changes: object) -> Restored:
    span = Span(begins_at=TODAY, ends_at=TODAY + timedelta(days=1))
    return Restored(series="postgres", file_name="a.dump", span=span, **changes)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("42601", True),  # a syntax error
        ("23505", True),  # a duplicate key
        ("22P04", True),  # rows that are no rows
        ("42501", False),  # our role may not
        ("53100", False),  # the scratch server's disk is full
        ("57P01", False),  # somebody ended the session
        ("0A000", False),  # an extension is not installed there
    ],
)
def test_whose_fault_an_error_is(code, expected):
    assert is_the_dumps_fault(f"psql:<stdin>:12: ERROR:  {code}: something LINE 1: x") is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('42704: role "app_user" does not exist', False),
        ('42704: collation "pg_catalog.de_DE.utf8" for encoding "UTF8" does not exist', False),
        ('22023: could not create locale "de_DE.utf8": No such file or directory', False),
        ("F0000: could not open dictionary file", False),
        ('42704: type "public.mood" does not exist', True),  # pg_dump --table leaves it out
    ],
)
def test_what_the_scratch_server_does_not_have_is_not_the_dumps_fault(said, expected):
    assert is_the_dumps_fault(f"psql:<stdin>:12: ERROR:  {said} LINE 1: x") is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("psql:<stdin>:9: ERROR:  42883: function gin_trgm_v2(text) does not exist", True),
        ('psql:<stdin>:9: ERROR:  42704: type "halfvec" does not exist', True),
        ('psql:<stdin>:9: ERROR:  42P01: relation "documents" does not exist', False),
    ],
)
def test_what_another_version_of_an_extension_may_have_is_told_from_a_missing_table(said, expected):
    assert is_about_what_is_not_there(said) is expected


def test_other_versions_and_missing_extensions_are_named_and_equal_ones_are_not():
    assert other_versions(
        {"vector": "0.8.0", "pg_trgm": "1.6", "citext": "1.6"}, {"vector": "0.5.1", "pg_trgm": "1.6"}
    ) == [
        "the scratch server has vector 0.5.1, the live database 0.8.0",
        "the scratch server has no citext, the live database 1.6",
    ]


def test_lost_connection_is_not_the_dumps_fault():
    assert not is_the_dumps_fault("psql: error: connection to server failed")


@pytest.mark.parametrize(
    ("rows", "live", "ratio"),
    [
        (50, 100, 0.5),
        (0, 20, 0),
        (5, 20, 0.9),
        (16, 20, 1),
        (950, 1000, 1),
        (800, 1000, 0.8),
        (0, 0, 1),
        (2000, 1000, 1),
    ],
)
def test_rows_are_compared_beyond_the_slack(rows, live, ratio):
    one = restored(rows=[TableRows(table="public.t", restored=rows, live=live)])
    slack = 30 if live == 100 else 100
    (found,) = facts.row_ratios(one, slack=slack, not_backed_up=(), critical=0.9)
    assert found.value == ratio


def test_table_that_nobody_counted_is_unknown():
    one = restored(rows=[TableRows(table="public.t", restored=5, live=None)])
    assert facts.row_ratios(one, slack=0, not_backed_up=(), critical=0.9)[0].problem


def test_table_that_is_not_backed_up_is_not_compared():
    one = restored(rows=[TableRows(table="public.t", restored=0, live=5)])
    assert facts.row_ratios(one, slack=0, not_backed_up=["public.t"], critical=0.9) == []


def test_dump_of_the_evening_loses_what_came_after():
    one = restored(written_until=(NOW - timedelta(hours=1), NOW))
    assert facts.seconds_lost(one).value == 3600
    assert facts.seconds_beside_name(one).value == 0


def test_rows_that_end_yesterday_are_not_of_today():
    one = restored(written_until=(TODAY - timedelta(hours=3), NOW))
    assert facts.seconds_beside_name(one).value == 3 * 3600


def test_system_that_nobody_writes_to_makes_no_dump_old():
    one = restored(written_until=(TODAY - timedelta(days=9), TODAY - timedelta(days=9)))
    assert (facts.seconds_lost(one).value, facts.seconds_beside_name(one).value) == (0, 0)


def test_what_was_not_restored_is_unknown_but_for_what_it_failed_with():
    one = restored(failure="it ends early")
    assert facts.done(one).value == 1
    assert facts.missing_objects(one)[0].problem
    assert facts.seconds(one).problem


def test_drill_that_could_not_be_done_is_unknown():
    assert facts.done(restored(problem="there is no psql on this worker")).problem


def test_missing_objects_are_named_by_kind():
    live = [
        {"kind": "tables", "name": "a"},
        {"kind": "tables", "name": "b"},
        {"kind": "indexes", "name": "i"},
    ]
    assert missing(live, live[:1], extensions=()) == {"tables": ["b"], "indexes": ["i"]}


def test_extension_that_only_the_drill_made_is_missing_in_the_dump():
    live = [{"kind": "extensions", "name": name} for name in ("plpgsql", "vector", "pg_trgm")]
    assert missing(live, live, extensions={"pg_trgm"}) == {"extensions": ["vector"]}


def test_wrong_answer_shows_what_came():
    found = facts.wrong_answer(restored(answer="Audit logs are kept for 30 days."), expected="90 days")
    assert found.value == 1
    assert "30 days" in found.evidence
