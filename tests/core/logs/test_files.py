"""Lists of files, with names that no line-based format could carry."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from docrag_ops.core.logs.files import (
    PRINTF,
    STAT,
    Kind,
    is_utf8,
    parse_identities,
    parse_print0_stat,
    parse_printf,
    shown_name,
    used_bytes,
)

NAMES = [
    *(b"plain.log", b"two words", b"new\nline", b"-rf", b"quo'te\"", b"latin-\xe9", "日本".encode()),
    *(b"81a4 1 2 3 4 5", b"{}", b"tab\t", b"\x1b[31mred", b"back\\slash"),
]


@pytest.fixture
def folder(tmp_path: Path) -> bytes:
    here = os.fsencode(tmp_path)
    for name in NAMES:
        with open(os.path.join(here, name), "wb") as file:
            file.write(name)
    (tmp_path / "link").symlink_to("plain.log")
    return here


def listed(folder: bytes, *action: str) -> bytes:
    return subprocess.run(["find", os.fsdecode(folder), *action], capture_output=True, check=True).stdout


def test_both_ways_to_list_agree_on_every_name(folder: bytes):
    quick = parse_printf(listed(folder, "-printf", PRINTF))
    portable = parse_print0_stat(listed(folder, "-print0", "-exec", "stat", "-c", STAT, "{}", ";"))
    assert quick == portable
    assert {os.fsencode(file.path) for file in quick if file.kind is Kind.FILE} == {
        os.path.join(folder, name) for name in NAMES
    }


def test_a_listed_file_is_as_the_system_has_it(folder: bytes):
    (file,) = (one for one in parse_printf(listed(folder, "-printf", PRINTF)) if one.name == "plain.log")
    real = os.stat(os.path.join(folder, b"plain.log"))
    assert (file.device, file.inode, file.size_bytes) == (real.st_dev, real.st_ino, real.st_size)
    assert (file.mtime_ns, file.used_bytes, file.links) == (real.st_mtime_ns, real.st_blocks * 512, 1)


def test_names_travel_through_json_and_back(folder: bytes):
    for file in parse_printf(listed(folder, "-printf", PRINTF)):
        assert os.fsencode(json.loads(json.dumps(file.path))) == os.fsencode(file.path)


def test_a_file_that_vanished_while_it_was_listed_is_left_out():
    line = b"81a4 1 2 1 3 8 2026-11-23 12:00:00.5 +0200\n"
    (file,) = parse_print0_stat(b"/gone\0/there\0" + line)
    assert (file.path, file.mtime_ns) == ("/there", 1795428000500000000)


@pytest.mark.parametrize("parse", [parse_printf, parse_print0_stat])
def test_a_list_that_was_cut_off_is_refused(parse):
    with pytest.raises(ValueError, match="incomplete"):
        parse(b"f 1 2 1 3 8 1.0\0/var/log/a\0f 1 2" if parse is parse_printf else b"/var/log/a")


@pytest.mark.parametrize("parse", [parse_printf, parse_print0_stat])
def test_what_is_no_list_is_refused(parse):
    with pytest.raises(ValueError, match="wrote"):
        parse(b"find: something else\0/var/log/a\0")


def test_open_files_are_pairs():
    assert parse_identities(b"1 2\n1 2\n3 4\n") == {(1, 2), (3, 4)}
    with pytest.raises(ValueError, match="device and inode"):
        parse_identities(b"find: what")


def test_names_are_shown_without_doing_harm():
    assert shown_name("/a\n\x1b[31m\udcff\u202e") == r"/a\n\x1b[31m\xff\u202e"
    assert [is_utf8("/日本"), is_utf8("/\udcff")] == [True, False]


def test_a_file_of_two_names_is_counted_once(tmp_path: Path):
    (tmp_path / "one").write_bytes(b"x" * 10_000)
    os.link(tmp_path / "one", tmp_path / "two")
    files = parse_printf(listed(os.fsencode(tmp_path), "-type", "f", "-printf", PRINTF))
    assert used_bytes(files) == (tmp_path / "one").stat().st_blocks * 512
