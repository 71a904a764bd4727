"""The invented past is one that Prometheus could have recorded."""

import struct
from itertools import pairwise

import pytest

from tests.sandbox import traffic
from tests.sandbox.history import blocks, remote_write, series, workloads

ANCHOR = 1_760_000_000
DAY = traffic.DAY


@pytest.fixture(scope="module")
def past() -> dict[str, series.Series]:
    """22 days at 10 minutes: the incident is in it."""
    times = range(ANCHOR - 22 * DAY, ANCHOR + 1, 600)
    return {one.key(): one for one in series.api_series(times, ANCHOR)}


def test_counters_never_fall(past: dict[str, series.Series]):
    counters = [one for one in past.values() if one.name != "up"]
    assert all(before <= after for one in counters for before, after in pairwise(one.values))


def test_a_bucket_holds_what_the_smaller_ones_hold(past: dict[str, series.Series]):
    buckets = [
        one.values
        for one in past.values()
        if one.name.endswith("_bucket") and one.labels["route"] == "/query"
    ]
    assert all(
        few <= many for small, large in pairwise(buckets) for few, many in zip(small, large, strict=True)
    )


def test_the_incident_shows_as_errors(past: dict[str, series.Series]):
    errors = next(
        one for one in past.values() if one.labels.get("status") == "500" and one.labels["route"] == "/query"
    )
    steps = [after - before for before, after in pairwise(errors.values)]
    start = 2 * DAY // 600 - 1
    assert min(steps[start : start + 4]) > 20 * max(1, *steps[start + 10 :])


def test_the_same_past_is_made_every_time():
    times = range(ANCHOR - DAY, ANCHOR, 600)
    assert list(series.api_series(times, ANCHOR)) == list(series.api_series(times, ANCHOR))


def test_the_end_of_the_past_has_the_rate_of_the_live_trickle(past: dict[str, series.Series]):
    totals = [one.values for one in past.values() if one.name == "http_requests_total"]
    recent = sum(values[-1] - values[-13] for values in totals) / (12 * 600)
    assert recent == pytest.approx(traffic.requests_per_second(ANCHOR - 3600, ANCHOR), rel=0.1)


def test_a_volume_ends_where_it_stands_now():
    figures = {"used_bytes": 1000.0, "available_bytes": 500.0, "capacity_bytes": 1500.0}
    now = [(f"kubelet_volume_stats_{name}", {}, value) for name, value in figures.items()]
    past = workloads.workload_series(now, range(ANCHOR - 10 * DAY, ANCHOR + 1, DAY), ANCHOR)
    assert [(one.values[0], one.values[-1]) for one in past] == [(961, 1000), (539, 500), (1500, 1500)]


def test_text_is_cut_at_the_blocks(tmp_path):
    edge = blocks.BLOCK_SECONDS * 1000
    blocks.write_text([edge - 60, edge, edge + 60], [series.Series("up", {"job": "a"}, [1, 2, 3])], tmp_path)
    assert (tmp_path / "999.txt").read_text() == f'up{{job="a"}} 1 {edge - 60}\n'
    assert (tmp_path / "1000.txt").read_text().count("\n") == 2


def test_remote_write_speaks_protobuf():
    request = next(remote_write._requests([1], [series.Series("up", {"job": "a"}, [1.5])]))
    labels = b"\x0a\x0e\x0a\x08__name__\x12\x02up\x0a\x08\x0a\x03job\x12\x01a"
    sample = b"\x12\x0c\x09" + struct.pack("<d", 1.5) + b"\x10" + remote_write.varint(1000)
    assert request == b"\x0a" + bytes([len(labels + sample)]) + labels + sample


def test_snappy_holds_the_data_as_literals():
    packed = remote_write.snappy(b"a" * 70_000)
    assert packed.startswith(remote_write.varint(70_000) + bytes([61 << 2]) + b"\xff\xff")
    assert packed.count(b"a") == 70_000
