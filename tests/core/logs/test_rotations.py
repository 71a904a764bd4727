"""Names of finished rotations, and names that only look like them."""

import pytest

from docrag_ops.core.logs.rotations import name_of


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("app.log.1", "app.log"),
        ("app.log.12.gz", "app.log"),
        ("app.log-20261101", "app.log"),
        ("app.log-20261101.gz", "app.log"),
        ("app.log.2026-11-01", "app.log"),
        ("app.log.2026-11-01T13.xz", "app.log"),
        ("app.log.old", "app.log"),
        ("syslog.1", "syslog"),
        ("app-2026-11-01.log.gz", "app-#.log"),
        ("archive.gz", "archive"),
        ("two words.log.1", "two words.log"),
        ("new\nline.log.1", "new\nline.log"),
        ("-rf.log.1", "-rf.log"),
        ("latin-\udce9.log.1", "latin-\udce9.log"),
    ],
)
def test_finished_rotation_and_its_family(name: str, family: str):
    found = name_of(name)
    assert (found.is_rotation, found.family) == (True, family)


@pytest.mark.parametrize(
    "name",
    ["app.log", "app-2026-11-01.log", "app.log.pos", "backup.tar.gz", "dump.sql.gz", "1", ".gz", ".1", "app.log.1~",
     "app.log.1234", "app.log.1.docrag-part", "", "nginx"],
)  # fmt: skip
def test_no_finished_rotation(name: str):
    assert not name_of(name).is_rotation


def test_a_dated_log_and_its_archives_are_one_family():
    assert name_of("app-2026-11-23.log").family == name_of("app-2026-11-01.log.gz").family
