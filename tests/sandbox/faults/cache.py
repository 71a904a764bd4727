"""Faults of Redis."""

import contextlib

import redis

from tests.sandbox import redis_server
from tests.sandbox.faults import holders
from tests.sandbox.faults.fault import Fault, State, wait_for
from tests.sandbox.faults.web import forget_bad_answers
from tests.sandbox.settings import Settings

ERRORS = (redis.exceptions.RedisError,)
FILLER = "fault:filler:"
FILLER_BYTES = 256 * 1024
FULL_RATIO = 0.97
NOBODY = ("127.0.0.1", 1)


def down(settings: Settings, state: State) -> None:
    redis_server.stop(settings)


def not_down(settings: Settings, state: State) -> None:
    redis_server.start(settings)
    forget_bad_answers(settings, state["since"])


def read_only(settings: Settings, state: State) -> None:
    """A replica whose master cannot be reached, as after a failover that went wrong."""
    with redis_server.client(settings) as client:
        client.replicaof(*NOBODY)


def not_read_only(settings: Settings, state: State) -> None:
    with redis_server.client(settings) as client:
        client.replicaof("NO", "ONE")


def policy_now(settings: Settings) -> State:
    with redis_server.client(settings) as client:
        return {"policy": client.config_get("maxmemory-policy")["maxmemory-policy"]}


def full(settings: Settings, state: State) -> None:
    with redis_server.client(settings) as client:
        client.config_set("maxmemory-policy", "noeviction")
        limit = int(client.config_get("maxmemory")["maxmemory"])
        for number in range(limit // FILLER_BYTES + 1):
            if client.info("memory")["used_memory"] > FULL_RATIO * limit:
                return
            with contextlib.suppress(redis.exceptions.OutOfMemoryError):
                client.set(f"{FILLER}{number}", b"x" * FILLER_BYTES)


def not_full(settings: Settings, state: State) -> None:
    with redis_server.client(settings) as client:
        for key in client.scan_iter(f"{FILLER}*", count=1000):
            client.delete(key)
        client.config_set("maxmemory-policy", state["policy"])


def save_failing(settings: Settings, state: State) -> None:
    (settings.data_dir / redis_server.NAME).chmod(0o500)
    _save(settings, "err")


def not_save_failing(settings: Settings, state: State) -> None:
    (settings.data_dir / redis_server.NAME).chmod(0o700)
    _save(settings, "ok")


def connections_exhausted(settings: Settings, state: State) -> None:
    holders.start(settings, "redis_connections_exhausted")
    wait_for("Redis turns clients away", lambda: not _is_reachable(settings))


def not_connections_exhausted(settings: Settings, state: State) -> None:
    holders.stop(settings, "redis_connections_exhausted")
    wait_for("Redis takes clients", lambda: _is_reachable(settings))


def _save(settings: Settings, expected: str) -> None:
    with redis_server.client(settings) as client:
        wait_for("no save is running", lambda: not client.info("persistence")["rdb_bgsave_in_progress"])
        client.bgsave()
        wait_for(
            f"the last save is {expected!r}",
            lambda: (
                not client.info("persistence")["rdb_bgsave_in_progress"]
                and client.info("persistence")["rdb_last_bgsave_status"] == expected
            ),
        )


def _is_reachable(settings: Settings) -> bool:
    try:
        with redis_server.client(settings) as client:
            return bool(client.ping())
    except redis.exceptions.RedisError:
        return False


FAULTS = (
    Fault("redis_down", "the server is stopped", down, not_down, dies_with_down=True),
    Fault("redis_read_only", "it is a replica of a master that is not there", read_only, not_read_only),
    Fault(
        "redis_full",
        "more than 95 % of maxmemory is used, and nothing is evicted",
        full,
        not_full,
        policy_now,
    ),
    Fault("redis_save_failing", "its folder cannot be written", save_failing, not_save_failing),
    Fault(
        "redis_connections_exhausted",
        "idle clients hold every connection",
        connections_exhausted,
        not_connections_exhausted,
    ),
)
