"""Names of backups, and the time that they state."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from docrag_ops.core.backups.names import StoredFile, candidates, compiled

DAILY = "postgres/docrag-%Y%m%d.dump"


def files(*names: str) -> list[StoredFile]:
    return [StoredFile(name=name, size_bytes=1) for name in names]


def names(found: list[StoredFile], pattern: str = DAILY) -> list[str]:
    return [one.file.name for one in candidates(found, pattern, zone=UTC)]


def test_newest_comes_first_by_the_time_in_its_name():
    there = files("postgres/docrag-20261124.dump", "postgres/docrag-20261125.dump")
    assert names(there) == ["postgres/docrag-20261125.dump", "postgres/docrag-20261124.dump"]


def test_other_files_are_not_of_the_series():
    others = ("postgres/docrag-20261124.dump.partial", "docrag-20261124.dump", "postgres/docrag-2026112.dump")
    assert names(files(*others)) == []


def test_dot_of_a_pattern_is_a_dot():
    assert not compiled("docrag-%Y%m%d.dump").fullmatch("docrag-20261124xdump")


def test_star_is_anything_but_a_slash():
    pattern = "documents-*-%Y-%m-%d-%H-%M-%S.snapshot"
    assert names(files("documents-512-2026-11-25-03-00-00.snapshot"), pattern)
    assert not names(files("documents-a/b-2026-11-25-03-00-00.snapshot"), pattern)


def test_hidden_file_is_one_that_is_being_written():
    there = files("a-20261125.dump", ".a-20261126.dump", "x/.b-20261126.dump")
    assert names(there, "*-%Y%m%d.dump") == ["a-20261125.dump"]
    assert names(there, "x/*-%Y%m%d.dump") == []


def test_of_one_day_the_last_written_is_the_newest():
    at = datetime(2026, 11, 25, tzinfo=UTC)
    late = StoredFile(name="a-20261125.dump", size_bytes=1, modified_at=at + timedelta(hours=9))
    early = StoredFile(name="b-20261125.dump", size_bytes=1, modified_at=at)
    assert names([early, late], "*-%Y%m%d.dump")[0] == "a-20261125.dump"


def test_without_a_time_in_the_name_the_storage_says_which_is_newest():
    at = datetime(2026, 11, 25, tzinfo=UTC)
    old = StoredFile(name="a.dump", size_bytes=1, modified_at=at - timedelta(days=1))
    new = StoredFile(name="b.dump", size_bytes=1, modified_at=at)
    assert names([new, old], "*.dump") == ["b.dump", "a.dump"]


def test_day_is_that_of_the_time_zone():
    (one,) = candidates(files("postgres/docrag-20261125.dump"), DAILY, zone=ZoneInfo("Asia/Tokyo"))
    assert one.span is not None
    assert one.span.begins_at == datetime(2026, 11, 24, 15, tzinfo=UTC)


def test_time_inside_the_day_is_not_outside():
    (one,) = candidates(files("postgres/docrag-20261125.dump"), DAILY, zone=UTC)
    assert one.span is not None
    assert one.span.seconds_outside(datetime(2026, 11, 25, 23, 59, tzinfo=UTC)) == 0
    assert one.span.seconds_outside(datetime(2026, 11, 24, 21, tzinfo=UTC)) == 3 * 3600


def test_day_that_does_not_exist_is_no_day():
    (one,) = candidates(files("postgres/docrag-20261335.dump"), DAILY, zone=UTC)
    assert one.span is None


@pytest.mark.parametrize("pattern", ["docrag-%y.dump", "docrag-%Y-%Y.dump"])
def test_pattern_that_cannot_be_read_is_refused(pattern):
    with pytest.raises(ValueError, match=r"%y is not known|twice"):
        compiled(pattern)
