"""Recovering snapshots on a scratch Qdrant, against a small server that has its answers."""

import json
from collections.abc import Iterator

import pytest

from docrag_ops.core.backups.errors import DamagedError
from docrag_ops.core.errors import UnreachableError
from docrag_ops.hooks.scratch_qdrant import ScratchQdrant
from tests.hooks.recovering_qdrant import RecoveringQdrant

SNAPSHOT = b"42 points" * 100_000


@pytest.fixture
def server() -> Iterator[RecoveringQdrant]:
    with RecoveringQdrant() as running:
        yield running
        running.shutdown()


@pytest.fixture
def scratch(server: RecoveringQdrant, monkeypatch: pytest.MonkeyPatch) -> ScratchQdrant:
    connection = {"conn_type": "http", "host": "127.0.0.1", "port": server.server_address[1]}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_QDRANT_SCRATCH", json.dumps(connection))
    return ScratchQdrant("docrag_qdrant_scratch")


def chunks(data: bytes) -> Iterator[bytes]:
    yield from (data[at : at + 10_000] for at in range(0, len(data), 10_000))


def test_points_of_a_recovered_snapshot_are_counted_and_it_is_dropped(scratch, server):
    assert scratch.points_of_recovered(chunks(SNAPSHOT)) == len(SNAPSHOT)
    assert server.collections == {}


def test_snapshot_that_qdrant_refuses_is_damaged(scratch, server):
    with pytest.raises(DamagedError, match="not a snapshot"):
        scratch.points_of_recovered(chunks(b"rubbish"))
    assert server.collections == {}


def test_server_with_the_live_collections_is_refused(scratch, server):
    server.collections["documents"] = 1
    with pytest.raises(UnreachableError, match="may be the live Qdrant"):
        scratch.require_another_server("http://live:6333", ["documents"])


def test_live_server_itself_is_refused(scratch):
    with pytest.raises(UnreachableError, match="may be the live Qdrant"):
        scratch.require_another_server(scratch.base_url, ["documents"])


def test_what_a_killed_run_left_is_swept_and_nothing_else(scratch, server):
    server.collections |= {"docrag_drill_20261125030000_0a1b2c3d": 1, "docrag_drill_of_somebody": 1}
    scratch.sweep()
    assert list(server.collections) == ["docrag_drill_of_somebody"]
