"""The tuning of a real Redis: set, written down, read back, taken back, refused where it would throw something away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from docrag_ops.core.changes import StepOutcome
from docrag_ops.core.environments import RedisSection
from docrag_ops.core.errors import ChangeError
from docrag_ops.hooks.cache_keys import CacheKeys
from docrag_ops.hooks.cache_settings import CacheSettings
from tests.databases.tuning import Killed, TuningRuns, left_alone, refusal
from tests.sandbox import connections, redis_server
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
MIB = 2**20
SHARES = (
    "{maxmemory: 0.7, maxmemory_least: 0.6, maxmemory_most: 0.75, used_memory_room: 1.1, fragmentation: 1.5, "
    "fragmentation_from_bytes: 104857600}"
)
CATALOGUE = """
allowed: [{allowed}]
shares: {shares}
profiles: {{guide: {{{advice}}}}}
"""


@pytest.fixture
def cache(servers: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """A Redis fresh from its file, with a session and an answer; stopped at the end, as settings outlive a flush."""
    redis_server.start(servers)
    known = connections.connections(servers)["docrag_redis"]
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_REDIS", json.dumps(known))
    with redis_server.client(servers) as client:
        client.set("session:1", "alice", ex=1800)
        client.set("answer:1", "90 days", ex=600)
        yield client
        client.flushall()
    redis_server.stop(servers)


@pytest.fixture
def runs(
    cache: redis.Redis,
    connect_to: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> TuningRuns:
    return TuningRuns("redis_settings", request.node.name, monkeypatch, memory_limit_bytes=128 * MIB)


def profile(runs: TuningRuns, **advice: str) -> None:
    """Have the profile `guide` say so."""
    named = {name.replace("_", "-"): value for name, value in advice.items()}
    told = ", ".join(f"{name}: {{value: '{value}', why: the test}}" for name, value in named.items())
    runs.use(CATALOGUE.format(allowed=", ".join(named), shares=SHARES, advice=told))
    runs.profile = "guide"


def file_of(cache: Any) -> str:
    """The file that Redis was started with."""
    with open(cache.info()["config_file"]) as file:
        return file.read()


def test_maxmemory_that_fits_the_limit_is_set_read_back_and_written_down(runs, cache):
    record = runs.plan()
    assert [step.details.get("value") for step in record.plan.steps] == ["89mb", None]
    runs.apply()
    record = runs.prove()
    assert {step.outcome for step in record.steps} == {StepOutcome.DONE}
    assert cache.config_get("maxmemory")["maxmemory"] == str(89 * MIB)
    assert "maxmemory 89mb" in file_of(cache) or f"maxmemory {89 * MIB}" in file_of(cache)
    assert "requirepass" in file_of(cache)


def test_sessions_that_an_eviction_may_throw_away_are_named(runs, cache):
    assert "1 sessions" in left_alone(runs.plan())["maxmemory-policy"]


def test_policy_that_evicts_keys_without_an_end_is_narrowed(runs, cache):
    cache.config_set("maxmemory-policy", "allkeys-lru")
    cache.set("queue:1", "work")
    steps = {step.details.get("setting"): step.details.get("value") for step in runs.plan().plan.steps}
    assert steps["maxmemory-policy"] == "volatile-lru"


def test_timeout_that_closes_idle_clients_is_switched_off(runs, cache):
    cache.config_set("timeout", "300")
    runs.plan()
    runs.apply()
    assert cache.config_get("timeout")["timeout"] == "0"


def test_what_is_dangerous_in_the_guide_is_refused_with_its_reason(runs, cache):
    runs.profile = "guide"
    record = runs.plan()
    rules = left_alone(record)
    assert "would be killed" in rules["maxmemory"]
    assert "throw away sessions (1)" in rules["maxmemory-policy"]
    assert "pools" in rules["timeout"]
    assert [subject for subject, _ in record.plan.handed_over if subject == "tcp-backlog"] == []  # it is 511
    assert "tcp-keepalive from 300 to 60" in [step.subject for step in record.plan.steps]


def test_names_of_redis_7_are_used(runs, cache):
    cache.config_set("hash-max-listpack-entries", "100")
    runs.profile = "guide"
    assert "hash-max-listpack-entries from 100 to 512" in [step.subject for step in runs.plan().plan.steps]


def test_maxmemory_below_what_is_in_use_is_refused(runs, cache):
    profile(runs, maxmemory="100kb")
    assert "are in use" in left_alone(runs.plan())["maxmemory"]


def test_policy_is_refused_where_nobody_says_what_sessions_are(runs, cache):
    runs.sections["redis"] = RedisSection()
    profile(runs, maxmemory_policy="allkeys-lfu")
    assert "not known" in left_alone(runs.plan())["maxmemory-policy"]


def test_value_that_redis_does_not_take_is_a_failed_step(runs, cache):
    profile(runs, maxclients="many")
    runs.plan()
    assert "CONFIG SET maxclients many" in refusal(runs.apply)
    assert cache.config_get("maxclients")["maxclients"] == "100"


def test_setting_that_has_writes_refused_is_taken_back_and_written_down(runs, cache):
    profile(runs, min_replicas_to_write="1")
    runs.plan()
    runs.apply()
    with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
        cache.set("x", "y")
    said = refusal(runs.prove)
    assert "probe errors: 3 of 3, 0 before" in said
    assert "Undone: min-replicas-to-write is 0 again. Written down." in said
    assert cache.set("x", "y")
    assert "min-replicas-to-write 1" not in file_of(cache)


def test_setting_that_did_not_last_until_the_proof_is_red_and_the_others_are_taken_back(runs, cache):
    profile(runs, timeout="10", tcp_keepalive="60")
    runs.plan()
    runs.apply()
    cache.config_set("timeout", "0")
    said = refusal(runs.prove)
    assert "1 of the 2 settings that were set are still in effect" in said
    assert "Left alone, as they are not as this run set them: timeout." in said
    assert "Undone: tcp-keepalive is 300 again." in said


def test_setting_that_cannot_be_taken_back_keeps_no_other_from_it(runs, cache, monkeypatch):
    profile(runs, min_replicas_to_write="1", timeout="10")
    runs.plan()
    runs.apply()
    real = CacheSettings.set

    def refused(settings, name, value):
        if name == "timeout":
            raise ChangeError("CONFIG SET timeout 0: OOM")
        real(settings, name, value)

    monkeypatch.setattr(CacheSettings, "set", refused)
    said = refusal(runs.prove)
    assert "Undone: min-replicas-to-write is 0 again." in said
    assert "NOT undone, do it by hand: timeout (CONFIG SET timeout 0: OOM)." in said
    assert cache.set("x", "y")


def test_setting_that_somebody_changed_meanwhile_is_left_alone_and_said(runs, cache):
    profile(runs, timeout="10", tcp_keepalive="60")
    runs.plan()
    cache.config_set("timeout", "20")
    steps = {step.subject.split()[0]: step for step in runs.apply().steps}
    assert steps["timeout"].outcome is StepOutcome.SKIPPED
    assert "value was 0, is 20" in steps["timeout"].what
    assert steps["tcp-keepalive"].outcome is StepOutcome.DONE
    assert cache.config_get("timeout")["timeout"] == "20"


def test_redis_without_a_file_hands_over_the_lines_of_its_manifest(runs, cache, monkeypatch):
    real = CacheSettings.info
    monkeypatch.setattr(CacheSettings, "info", lambda cache: {**real(cache), "config_file": ""})
    record = runs.plan()
    assert "maxmemory 89mb" in dict(record.plan.handed_over)["redis.conf"]
    runs.apply()
    assert runs.prove().not_better == ""


def test_file_that_cannot_be_written_is_red(runs, cache, servers):
    runs.plan()
    folder = servers.data_dir / "redis"
    folder.chmod(0o500)
    (folder / "redis.conf").chmod(0o400)
    try:
        assert "CONFIG REWRITE" in refusal(runs.apply)
    finally:
        folder.chmod(0o700)
        (folder / "redis.conf").chmod(0o600)
    assert "CONFIG REWRITE" in refusal(runs.prove)


def test_killed_half_way_is_finished_when_cleared(runs, cache, monkeypatch):
    profile(runs, timeout="10", tcp_keepalive="60")
    runs.plan()
    real = CacheSettings.set

    def killed(settings, name, value):
        real(settings, name, value)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(CacheSettings, "set", killed)
        with pytest.raises(Killed):
            runs.apply()
    record = runs.apply()
    assert {step.outcome for step in record.steps} == {StepOutcome.DONE}
    assert "timeout 10" in file_of(cache)
    assert runs.prove().not_better == ""


def test_redis_that_does_not_answer_is_unknown(runs, cache, servers):
    redis_server.stop(servers)
    try:
        assert "does not answer" in refusal(runs.plan)
    finally:
        redis_server.start(servers)


def test_policy_is_refused_where_keys_of_another_database_were_not_looked_at(runs, cache, servers):
    cache.flushall()
    cache.set("answer:1", "x", ex=100)
    with redis_server.client(servers) as other:
        other.select(3)
        other.set("basket:1", "x")
    profile(runs, maxmemory_policy="allkeys-lru")
    assert "db0, db3" in left_alone(runs.plan())["maxmemory-policy"]


def test_sample_knows_keys_of_any_name_and_kind(runs, cache):
    cache.flushall()
    cache.set(b"\xff\x00:1", "x", ex=100)
    cache.set("no colon\n", "x")
    cache.rpush("queue:a", *range(1000))
    cache.hset("session:9", mapping={"user": "alice"})
    sample = CacheKeys().sample(most=100, seconds=60)
    found = {key.prefix: key for key in sample.keys}
    assert {"(no prefix)", "queue:", "session:"} < set(found)
    assert len(found) == 4
    assert found["queue:"].expires_seconds is None
    assert found["queue:"].size_bytes > 1000
    assert "alice" not in str(sample)


def test_sample_ends_where_it_is_asked_to_and_says_of_how_many(runs, cache):
    with cache.pipeline() as pipe:
        for number in range(3000):
            pipe.set(f"answer:{number}", "x", ex=500)
        pipe.execute()
    sample = CacheKeys().sample(most=500, seconds=60)
    assert 500 <= len(sample.keys) < 3001
    assert sample.extent == f"a sample of {len(sample.keys):,} of 3,001 keys"


def test_keys_that_may_not_be_seen_are_unknown(runs, cache, servers, monkeypatch):
    cache.acl_setuser(
        "blind", enabled=True, passwords=["+blind"], keys=["*"], commands=["+@all", "-memory"], categories=[]
    )
    known = connections.connections(servers)["docrag_redis"]
    blind = {**known, "login": "blind", "password": "blind"}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_REDIS", json.dumps(blind))
    assert "does not show its keys" in refusal(runs.plan)
