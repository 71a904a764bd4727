"""Unpacking streams."""

import bz2
import gzip
import lzma
import os
import tracemalloc

import pytest

from docrag_ops.core.backups import inflate
from docrag_ops.core.backups.errors import DamagedError, UnreadableError
from docrag_ops.core.backups.inflate import PIECE_BYTES, inflated

TEXT = b"".join(b"%d some row of a table\n" % number for number in range(50_000))


@pytest.fixture(params=["isal", "zlib"])
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both inflaters of gzip: the fast one, and that of a machine it has no build for."""
    if request.param == "zlib":
        monkeypatch.setattr(inflate, "_gzip", lambda: inflate._Zlib)
    return request.param


def unpacked(data: bytes, size: int = 1000) -> bytes:
    return b"".join(inflated(data[at : at + size] for at in range(0, len(data), size)))


@pytest.mark.parametrize("size", [1, 1000, 10_000_000])
def test_content_comes_whole(inflater, size):
    text = TEXT[:5000] if size == 1 else TEXT
    assert unpacked(gzip.compress(text), size) == text


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress, bytes])
def test_other_packings_are_read(pack):
    assert unpacked(pack(TEXT)) == TEXT


def test_members_follow_each_other(inflater):
    assert unpacked(gzip.compress(TEXT) + gzip.compress(b"more")) == TEXT + b"more"


def test_zeros_at_the_end_are_padding(inflater):
    assert unpacked(gzip.compress(TEXT) + bytes(100_000)) == TEXT


@pytest.mark.parametrize("lost", [1, 8, 1000])
def test_stream_that_ends_early_is_damaged(inflater, lost):
    with pytest.raises(DamagedError, match="ends early"):
        unpacked(gzip.compress(TEXT)[:-lost])


def test_changed_byte_is_damage(inflater):
    data = bytearray(gzip.compress(TEXT))
    data[len(data) // 2] ^= 1
    with pytest.raises(DamagedError):
        unpacked(bytes(data))


def test_changed_checksum_is_damage(inflater):
    data = bytearray(gzip.compress(TEXT))
    data[-6] ^= 1
    with pytest.raises(DamagedError):
        unpacked(bytes(data))


def test_something_behind_the_end_is_damage(inflater):
    with pytest.raises(DamagedError):
        unpacked(gzip.compress(TEXT) + b"rubbish")


def test_nothing_is_damage():
    with pytest.raises(DamagedError, match="empty"):
        unpacked(b"")


@pytest.mark.parametrize(
    "magic", [b"\x28\xb5\x2f\xfd", b"age-encryption.org/v1", b"-----BEGIN PGP MESSAGE-----"]
)
def test_what_cannot_be_unpacked_here_is_no_damage(magic):
    with pytest.raises(UnreadableError):
        unpacked(magic + os.urandom(100))


def test_memory_does_not_grow_with_what_is_packed(inflater):
    """200 MB of zeros are 200 KB packed: a chunk of it must not become all of it."""
    data = gzip.compress(bytes(200_000_000), compresslevel=1)
    tracemalloc.start()
    try:
        length = sum(len(piece) for piece in inflated([data]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert length == 200_000_000
    assert peak < 4 * PIECE_BYTES + 2 * len(data)
