"""The editor of postgresql.conf: the named setting changes, every other byte stays."""

import pytest

from docrag_ops.core.tuning.postgresql_conf import changes_of, edited, restored

TRICKY = """\
# work_mem = 1MB
#work_mem = 2MB
\twork_mem\t =  4MB\t# four, said 'the DBA' = why
Work_Mem '4MB'
work_mem_ = 1
my.work_mem = 3
log_line_prefix = '%m [%p] # it''s work_mem = 9 \\' '
archive_command = 'cp %p "/b #1/%f"'
search_path = '"$user", public'
search_path=x

# ends without a newline: work_mem"""


def test_last_line_of_a_setting_changes_and_nothing_else():
    after = edited(TRICKY, changes_of(TRICKY, {"work_mem": "8MB"}))
    differing = [(a, b) for a, b in zip(TRICKY.split("\n"), after.split("\n"), strict=True) if a != b]
    assert differing == [("Work_Mem '4MB'", "Work_Mem 8MB")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("work_mem = 4MB", "work_mem = 8MB"),
        ("work_mem=4MB\n", "work_mem=8MB\n"),
        ("work_mem 4MB\n", "work_mem 8MB\n"),
        ("  work_mem = '4MB'   # it's\r\n", "  work_mem = 8MB   # it's\r\n"),
        ("work_mem = 4MB#no space\n", "work_mem = 8MB#no space\n"),
        ("work_mem = 1MB\nwork_mem = 4MB\n", "work_mem = 1MB\nwork_mem = 8MB\n"),
        ("", "work_mem = 8MB\n"),
        ("a = 1", "a = 1\nwork_mem = 8MB"),
        ("a = 1\n\n", "a = 1\n\nwork_mem = 8MB\n"),
        ("# work_mem = 4MB\n", "# work_mem = 4MB\nwork_mem = 8MB\n"),
        ("log_line_prefix = 'x\\'\nwork_mem = 4MB\n", "log_line_prefix = 'x\\'\nwork_mem = 8MB\n"),
        ("work_mem = 4MB\ninclude 'more.conf'\n", "work_mem = 4MB\ninclude 'more.conf'\nwork_mem = 8MB\n"),
        ("include_dir 'conf.d'\nwork_mem = 4MB\n", "include_dir 'conf.d'\nwork_mem = 8MB\n"),
        ("a = 'é \u2028 \x0b'\nwork_mem = 4MB\n", "a = 'é \u2028 \x0b'\nwork_mem = 8MB\n"),
        ("work_mem = 8MB\n", "work_mem = 8MB\n"),
        ("work_mem = '8MB'\n", "work_mem = '8MB'\n"),
    ],
)
def test_edit(before, after):
    changes = changes_of(before, {"work_mem": "8MB"})
    assert edited(before, changes) == after
    assert restored(after, changes) == before


def test_several_settings_at_once_go_back_together():
    values = {"work_mem": "8MB", "log_temp_files": "10MB", "random_page_cost": "1e+06", "autovacuum": "on"}
    changes = changes_of(TRICKY, values)
    after = edited(TRICKY, changes)
    assert after.endswith("work_mem\nlog_temp_files = 10MB\nrandom_page_cost = '1e+06'\nautovacuum = on")
    assert restored(after, changes) == TRICKY


@pytest.mark.parametrize("line", ["work_mem = '4MB", "work_mem", "work_mem =", "work_mem = 4MB 5MB"])
def test_line_that_the_server_could_not_read_is_refused(line):
    with pytest.raises(ValueError, match="line 1 sets 'work_mem'"):
        changes_of(line, {"work_mem": "8MB"})


def test_text_that_somebody_edited_since_is_not_restored():
    changes = changes_of("work_mem = 4MB\n", {"work_mem": "8MB"})
    with pytest.raises(ValueError, match="not as it was left"):
        restored("work_mem = 16MB\n", changes)
