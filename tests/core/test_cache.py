"""What INFO says, where a whole fixture would say too much."""

import pytest

from docrag_ops.core import cache
from docrag_ops.core.measurements import Measured, NotConfigured, Unmeasured


def test_cache_that_evicts_is_held_against_its_container():
    info = {"maxmemory": 100, "maxmemory_policy": "allkeys-lru", "used_memory": 100, "used_memory_rss": 120}
    outcome = cache.memory_used(info, container_limit_bytes=200)
    assert isinstance(outcome, Measured)
    assert outcome.measurements[0].value == 0.6


def test_memory_that_nothing_bounds_is_not_measured():
    assert isinstance(cache.memory_used({"maxmemory": 0}, container_limit_bytes=None), Unmeasured)


def test_server_without_replicas_has_no_link():
    assert isinstance(cache.replica_link_down({"role": "master", "connected_slaves": 0}), NotConfigured)


def test_field_that_is_missing_is_named():
    with pytest.raises(KeyError, match="evicted_keys"):
        cache.evictions({})
