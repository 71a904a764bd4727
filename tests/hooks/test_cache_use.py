"""The keys and the slow log of a real Redis."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis

from docrag_ops.core.results import AreaResult
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks import cache
from docrag_ops.hooks.cache import CacheHook
from docrag_ops.hooks.cache_keys import CacheKeys
from docrag_ops.operators.checks import CheckOperator
from tests.asking import asking_for
from tests.checks.conftest import KnownHistory
from tests.sandbox import connections, lifecycle, redis_server
from tests.sandbox.settings import Settings
from tests.sandbox.small_sandbox import small_settings

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = small_settings(tmp_path_factory.mktemp("redis"))
    lifecycle.prepare_folders(settings)
    try:
        redis_server.start(settings)
        yield settings
    finally:
        lifecycle.down(settings, lambda _: None, with_data=True)


@pytest.fixture
def client(server: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    known = connections.connections(server)["docrag_redis"]
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_REDIS", json.dumps(known))
    monkeypatch.setattr("docrag_ops.hooks.history.HistoryHook", KnownHistory)
    for name in ("ANSWER_SECONDS", "CONNECT_SECONDS"):
        monkeypatch.setattr(cache, name, 10.0)
    with redis_server.client(server) as connection:
        connection.flushall()  # the test's own server
        connection.slowlog_reset()
        connection.config_set("slowlog-log-slower-than", 10_000)
        yield connection


def review() -> AreaResult:
    asking = asking_for("weekly")
    object.__setattr__(asking, "now", datetime.now(UTC))
    return CheckOperator(task_id="review_cache_use", area="cache_use").measure(asking)


def bad(check: str) -> list[tuple[str, Verdict]]:
    return [
        (one.subject, one.verdict)
        for one in review().findings
        if one.check == check and one.verdict is not Verdict.OK
    ]


def test_big_key_is_found_among_many_small_ones(client: redis.Redis):
    client.mset({f"answer:{number}": "x" for number in range(3000)})
    client.rpush("jobs:failed", *["y" * 1000] * 2000)
    assert bad("cache_big_key") == [("jobs:failed", Verdict.WARNING)]
    client.unlink("jobs:failed")
    assert bad("cache_big_key") == []


def test_key_that_is_no_text_and_one_with_a_token_are_named_harmlessly(client: redis.Redis):
    client.set(b"\xff\x00 %s \n", "x" * 2_000_000)
    client.set("session:6f1c2b7a9d3e4f5a6b7c8d9e", "x" * 2_000_000)
    assert sorted(bad("cache_big_key")) == [
        ("\\xff\\x00 %s \n", Verdict.WARNING),
        ("session:6f1c2b7a…", Verdict.WARNING),
    ]


def test_sample_has_its_bound(client: redis.Redis):
    client.mset({f"answer:{number}": "x" for number in range(3000)})
    sample = CacheKeys().sample(most=1000, seconds=60)
    assert 1000 <= len(sample.keys) < 3000
    assert (sample.total, sample.is_whole) == (3000, False)
    assert not CacheKeys().sample(most=10_000, seconds=0).is_whole


def test_kind_of_key_that_fills_the_cache_is_found(client: redis.Redis):
    client.config_set("maxmemory", 4_000_000)
    try:
        client.mset({f"answer:{number}": "x" * 10_000 for number in range(250)})
        client.config_set("maxmemory", 3_000_000)
        assert bad("cache_prefix_memory") == [("answer:", Verdict.WARNING)]
    finally:
        client.config_set("maxmemory", 64 * 2**20)


def test_slow_command_is_named_without_its_values(client: redis.Redis):
    client.config_set("slowlog-log-slower-than", 0)
    client.set("answer:1", "very-secret")
    client.config_set("slowlog-log-slower-than", 10_000_000)
    found = [one for one in CacheHook().slow_log().commands if one.name == "SET"]
    assert [one.key for one in found] == ["answer:1"]
    assert "very-secret" not in repr(found)


def test_slow_log_that_is_off_is_unknown(client: redis.Redis):
    client.config_set("slowlog-log-slower-than", -1)
    assert bad("cache_slow_command") == [("all", Verdict.UNKNOWN)]


def test_role_that_may_not_look_makes_these_checks_unknown_and_no_other(
    client: redis.Redis, server: Settings, monkeypatch: pytest.MonkeyPatch
):
    client.acl_setuser(
        "watcher", enabled=True, passwords=["+secret"], commands=["+ping", "+info", "+hello", "+client"]
    )
    known = connections.connections(server)["docrag_redis"]
    entering = {**known, "login": "watcher", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_REDIS", json.dumps(entering))
    unknown = {one.check: one.evidence for one in review().findings if one.verdict is Verdict.UNKNOWN}
    assert set(unknown) == {"cache_slow_command", "cache_big_key", "cache_prefix_memory"}
    assert "secret" not in str(unknown)


def test_keys_are_never_asked_by_KEYS_and_none_is_changed(client: redis.Redis):  # noqa: N802
    client.mset({f"answer:{number}": "x" for number in range(100)})
    client.config_resetstat()
    review()
    commands = client.info("commandstats")
    assert not {"cmdstat_keys", "cmdstat_del", "cmdstat_set", "cmdstat_flushall"} & set(commands)
    assert client.dbsize() == 100
