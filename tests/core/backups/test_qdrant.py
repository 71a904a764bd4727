"""What is in a backup of Qdrant."""

import json

import pytest

from docrag_ops.core.backups.errors import DamagedError
from docrag_ops.core.backups.qdrant import read_archive, vectors_differ
from tests.core.backups.making import AT, COLLECTION, CONFIG, SEGMENT, below, chunks, tar

STORAGE = below("storage/collections/documents/", COLLECTION)


def missing(files: dict[str, bytes], *, is_partial: bool = False, collection: str = "") -> list[str]:
    backup = read_archive(chunks(tar(files)), collection=collection)
    return backup.missing(["documents"], is_partial=is_partial)["documents"]


def test_archive_of_the_storage_is_whole():
    backup = read_archive(chunks(tar(STORAGE)), collection="")
    assert backup.missing(["documents"], is_partial=False) == {"documents": []}
    assert backup.newest_at == AT


def test_snapshot_of_a_collection_is_whole():
    assert missing(COLLECTION, collection="documents") == []


def test_segment_may_be_an_archive_of_its_own():
    parts = {name.removeprefix(f"{SEGMENT}/"): text for name, text in COLLECTION.items() if SEGMENT in name}
    rest = {name: text for name, text in COLLECTION.items() if SEGMENT not in name}
    nested = tar(below("snapshot/files/", parts))
    assert missing({**rest, f"{SEGMENT}.tar": nested}, collection="documents") == []


def test_full_snapshot_is_whole():
    nested = {"documents-512-2026-11-25-03-00-00.snapshot": tar(COLLECTION), "config.json": b"{}"}
    assert missing(nested) == []


@pytest.mark.parametrize("name", COLLECTION)
def test_missing_part_is_named(name):
    assert missing({one: text for one, text in STORAGE.items() if not one.endswith(name)}) != []


@pytest.mark.parametrize("name", [name for name in COLLECTION if not name.endswith(".json")])
def test_empty_part_is_missing(name):
    assert missing({one: b"" if one.endswith(name) else text for one, text in STORAGE.items()}) != []


def test_other_collection_is_not_this_one():
    assert missing(below("collections/other/", COLLECTION)) == ["the whole collection"]


def test_missing_shard_is_named_but_for_a_snapshot_of_one_node():
    two = json.dumps({"params": {**CONFIG["params"], "shard_number": 2}}).encode()
    files = {**COLLECTION, "config.json": two}
    assert missing(files, collection="documents") == ["shard 1"]
    assert missing(files, collection="documents", is_partial=True) == []


def test_config_that_is_no_json_is_damage():
    with pytest.raises(DamagedError, match="no JSON"):
        missing({**COLLECTION, "config.json": b"{"}, collection="documents")


def test_archive_without_files_is_damage():
    with pytest.raises(DamagedError, match="no file"):
        missing({})


def test_vectors_of_another_size_do_not_fit():
    other = {"params": {"vectors": {"size": 768, "distance": "Cosine"}}}
    assert "768" in vectors_differ(other, CONFIG)
    assert (
        vectors_differ(CONFIG, {"params": {"vectors": {"size": 384, "distance": "Cosine", "on_disk": True}}})
        == ""
    )
