"""What df says."""

import pytest

from docrag_ops.core.volumes import Space, parse_df

HEADING = "Filesystem 1024-blocks Used Available Capacity Mounted on\n"


@pytest.mark.parametrize(
    ("line", "space"),
    [
        (
            "tmpfs 65536 4704 60832 8% /app/storage",
            Space(mounted_on="/app/storage", total=65536, available=60832),
        ),
        ("/dev/disk/by id/my disk 100 1 99 1% /data", Space(mounted_on="/data", total=100, available=99)),
        ("//nas/share 1 2 3 100 1 99 1% /data", Space(mounted_on="/data", total=100, available=99)),
        (
            "tmpfs 100 1 99 1% /my data/50% full",
            Space(mounted_on="/my data/50% full", total=100, available=99),
        ),
        ("/dev/sdb 100 101 -1 102% /data", Space(mounted_on="/data", total=100, available=-1)),
        ("10.0.0.1:6789:/ 40111 - - - /data", Space(mounted_on="/data", total=0, available=0)),
        ("btrfs 0 0 0 - /data", Space(mounted_on="/data", total=0, available=0)),
    ],
)
def test_line_is_read(line: str, space: Space):
    assert parse_df(HEADING + line + "\n") == space


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEADING,
        "df: /app/storage: No such file or directory\n",
        HEADING + "tmpfs 1 2 3 4% /a\ntmpfs 1 2 3 4% /b\n",
        HEADING + "tmpfs - - - - /a",
        HEADING + "tmpfs 1e3 2 3 4% /a",
        HEADING + "tmpfs ² 2 3 4% /a",
        "<html>\x00\x1b[31m</html>\nline",
    ],
)
def test_anything_else_is_refused_with_what_it_was(text: str):
    with pytest.raises(ValueError, match="expected a heading and one line about a file system"):
        parse_df(text)
