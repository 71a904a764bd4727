"""Storages of backups: a local folder, and S3 as moto's server speaks it."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from docrag_ops.core.errors import UnreachableError
from docrag_ops.hooks.backups import CHUNK_BYTES, REMOTE_BLOCK_BYTES, BackupStorage

CONTENT = os.urandom(3 * CHUNK_BYTES + 17)


def connect(monkeypatch: pytest.MonkeyPatch, **connection: Any) -> BackupStorage:
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_BACKUPS", json.dumps(connection))
    return BackupStorage()


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackupStorage:
    (tmp_path / "daily").mkdir()
    (tmp_path / "daily/a.dump").write_bytes(CONTENT)
    os.utime(tmp_path / "daily/a.dump", (1_800_000_000, 1_800_000_000))
    return connect(monkeypatch, conn_type="fs", extra={"path": str(tmp_path)})


def test_files_of_a_folder_are_listed_below_it(local):
    (file,) = local.files()
    assert (file.name, file.size_bytes) == ("daily/a.dump", len(CONTENT))
    assert file.modified_at == datetime.fromtimestamp(1_800_000_000, UTC)


def test_file_comes_in_pieces(local):
    pieces = list(local.chunks("daily/a.dump"))
    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) <= CHUNK_BYTES


def test_only_its_beginning_is_read_when_that_is_wanted(local):
    assert b"".join(local.chunks("daily/a.dump", begin_bytes=8)) == CONTENT[:8]


def test_url_of_a_folder_is_a_folder(tmp_path, monkeypatch):
    (tmp_path / "a.dump").write_bytes(b"x")
    storage = connect(monkeypatch, conn_type="generic", extra={"url": f"file://{tmp_path}/"})
    assert [file.name for file in storage.files()] == ["a.dump"]


def test_folder_that_does_not_exist_is_no_empty_one(tmp_path, monkeypatch):
    storage = connect(monkeypatch, conn_type="fs", extra={"path": str(tmp_path / "gone")})
    with pytest.raises(UnreachableError, match="has no"):
        storage.files()


def test_file_that_is_gone_is_unreachable(local):
    with pytest.raises(UnreachableError):
        list(local.chunks("daily/b.dump"))


def test_connection_without_a_place_says_what_it_needs(monkeypatch):
    with pytest.raises(UnreachableError, match="expected the extra 'url'"):
        connect(monkeypatch, conn_type="fs").files()


def test_scheme_without_its_provider_is_unreachable(monkeypatch):
    storage = connect(monkeypatch, conn_type="generic", extra={"url": "nosuch://bucket/folder"})
    with pytest.raises(UnreachableError, match="docrag_backups"):
        storage.files()


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, Any]]:
    """The Connection of a bucket on a moto server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test-secret"}
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="backups")
    client.put_object(Bucket="backups", Key="docrag/daily/a.dump", Body=CONTENT)
    client.put_object(Bucket="backups", Key="docrag/daily/large.dump", Body=bytes(40_000_000))
    client.put_object(Bucket="backups", Key="others/b.dump", Body=b"x")
    yield {
        "conn_type": "aws",
        "login": "test",
        "password": "test-secret",
        "extra": {"url": "s3://backups/docrag", "endpoint_url": address, "region_name": "us-east-1"},
    }
    server.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_files_of_a_bucket_are_listed_and_read(s3, monkeypatch):
    storage = connect(monkeypatch, **s3)
    names = {file.name: file for file in storage.files()}
    assert set(names) == {"daily/a.dump", "daily/large.dump"}
    assert names["daily/a.dump"].size_bytes == len(CONTENT)
    assert names["daily/a.dump"].modified_at is not None
    assert b"".join(storage.chunks("daily/a.dump")) == CONTENT


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_object_is_read_in_parts(s3, monkeypatch):
    """Never as a whole: what is held in memory is a part of it, however large it is."""
    import s3fs

    asked, fetch = [], s3fs.core.S3File._fetch_range

    def noting(file: Any, start: int, end: int) -> bytes:
        asked.append(end - start)
        return fetch(file, start, end)

    monkeypatch.setattr(s3fs.core.S3File, "_fetch_range", noting)
    storage = connect(monkeypatch, **s3)
    assert sum(len(piece) for piece in storage.chunks("daily/large.dump")) == 40_000_000
    assert max(asked) <= 2 * REMOTE_BLOCK_BYTES


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_bucket_that_does_not_exist_is_no_empty_one(s3, monkeypatch):
    extra = {**s3["extra"], "url": "s3://gone/docrag"}
    with pytest.raises(UnreachableError, match="docrag_backups"):
        connect(monkeypatch, **{**s3, "extra": extra}).files()
