"""Tar archives as streams."""

import io
import tarfile

import pytest

from docrag_ops.core.backups.archives import members
from docrag_ops.core.backups.errors import DamagedError
from tests.core.backups.making import AT, chunks, tar

LONG = "a/" * 120 + "ä long name.yaml"
FILES = {"./first": b"x" * 5000, LONG: b"second", "empty": b""}


def read(data: bytes) -> dict[str, bytes]:
    return {one.name: b"".join(one.chunks()) for one in members(chunks(data))}


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_files_come_with_their_content(kind):
    assert read(tar(FILES, kind=kind)) == {"first": b"x" * 5000, LONG: b"second", "empty": b""}


def test_content_may_be_left_unread():
    assert [one.name for one in members(chunks(tar(FILES)))] == ["first", LONG, "empty"]


def test_time_of_a_file():
    assert next(members(chunks(tar(FILES)))).changed_at == AT


@pytest.mark.parametrize("tenth", range(10))
def test_archive_cut_at_each_tenth_is_damaged(tenth):
    data = tar({f"file-{number}": b"y" * 3000 for number in range(20)})
    content = len(data.rstrip(b"\0"))
    with pytest.raises(DamagedError):
        read(data[: content * tenth // 10])


def test_archive_cut_between_two_files_is_damaged():
    """The library's own reader takes this for the end."""
    whole, one = tar({"a": b"1", "b": b"2"}), tar({"a": b"1"})
    cut = whole[: len(one.rstrip(b"\0")) // 512 * 512 + 512]
    with tarfile.open(fileobj=io.BytesIO(cut)) as archive:
        assert archive.getnames() == ["a"]
    with pytest.raises(DamagedError, match="end mark"):
        read(cut)


def test_changed_header_is_damage():
    data = bytearray(tar({"a": b"1", "b": b"2"}))
    data[data.index(b"b\0\0")] ^= 1
    with pytest.raises(DamagedError, match="header"):
        read(bytes(data))


def test_something_behind_the_end_is_damage():
    with pytest.raises(DamagedError):
        read(tar(FILES) + b"rubbish")


def test_padding_behind_the_end_is_none():
    assert read(tar({"a": b"1"}) + bytes(100_000)) == {"a": b"1"}
