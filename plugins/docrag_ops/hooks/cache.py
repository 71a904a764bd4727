"""Redis: INFO, a probe that writes, reads and deletes, and the slow log."""

from __future__ import annotations

import time
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.core.performance.keys import SlowCommand, SlowLog

if TYPE_CHECKING:
    from redis import Redis

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
RETRY_PAUSE_SECONDS = 0.2
PROBE_LIFE_SECONDS = 60
PROBE_TRIES = 100
SLOW_ENTRIES = 128


class CacheHook(BaseHook):
    """Asks Redis by the Connection `docrag_redis`, through the provider's RedisHook, with time limits."""

    def __init__(self, conn_id: str = "docrag_redis") -> None:
        super().__init__()
        self.conn_id = conn_id

    def ping(self) -> None:
        """Ask whether Redis answers.

        :raises UnreachableError: refused, timed out, or not let in.
        """
        import redis

        try:
            self._client.ping()
        except redis.RedisError as error:
            raise UnreachableError(f"Redis ({self.conn_id}) does not answer PING: {error}") from error

    def info(self) -> dict[str, Any]:
        """All sections of INFO as one mapping.

        :raises CouldNotMeasureError: when the role may not ask; other questions may still be answered.
        """
        import redis

        try:
            return dict(self._client.info())
        except redis.exceptions.NoPermissionError as error:
            raise CouldNotMeasureError(f"Redis ({self.conn_id}) refuses INFO: {error}") from error
        except redis.RedisError as error:
            raise UnreachableError(f"Redis ({self.conn_id}) does not answer INFO: {error}") from error

    def write_probe(self) -> str:
        """Set, get and delete one key of our own; the text says what failed, empty when all went well.

        The key is unique and expires by itself, so a run that is killed half-way leaves nothing behind.

        :raises CouldNotMeasureError: when the role may not, or a server of a cluster has no slot for our keys; neither
            says anything about the server.
        """
        import redis

        value = uuid.uuid4().hex
        try:
            key = self._own_key(value)
            answer = self._client.get(key)
            deleted = self._client.delete(key)
        except redis.exceptions.NoPermissionError as error:
            raise CouldNotMeasureError(
                f"Redis ({self.conn_id}) does not let this user write docrag-ops:probe:*: {error}"
            ) from error
        except redis.RedisError as error:
            return f"{type(error).__name__}: {error}"
        if answer != value.encode() or deleted != 1:
            return f"wrote {value!r}, read {answer!r}, deleted {deleted} keys; expected the same value and 1"
        return ""

    def _own_key(self, value: str) -> str:
        """Set a key of our own and return it. A server of a cluster keeps only some keys and sends the others away."""
        import redis

        for _ in range(PROBE_TRIES):
            key = f"docrag-ops:probe:{uuid.uuid4()}"
            try:
                self._client.set(key, value, ex=PROBE_LIFE_SECONDS)
            except redis.exceptions.MovedError as error:
                moved = error
            else:
                return key
        raise CouldNotMeasureError(
            f"Redis ({self.conn_id}) sent all of {PROBE_TRIES} keys to other servers of its cluster ({moved}): it is no"
            " master, or has next to no slots"
        )

    def ping_seconds(self, times: int) -> list[float]:
        """How long each of so many PINGs took, the network included; the first, which connects, is not among them."""
        self.ping()
        found = []
        for _ in range(times):
            started = time.perf_counter()
            self.ping()
            found.append(time.perf_counter() - started)
        return found

    def slow_log(self) -> SlowLog:
        """The newest entries of SLOWLOG: command and first key only, as the rest may be anybody's data.

        :raises CouldNotMeasureError: when the role may not read it.
        """
        import redis

        try:
            entries = self._client.slowlog_get(SLOW_ENTRIES)
        except redis.RedisError as error:
            raise CouldNotMeasureError(f"Redis ({self.conn_id}) refuses SLOWLOG GET: {error}") from error
        commands = []
        for one in entries:
            words = bytes(one["command"]).split(b" ")
            commands.append(
                SlowCommand(
                    at=one["start_time"],
                    seconds=one["duration"] / 1e6,
                    name=_text(words[0]),
                    key=_text(b"".join(words[1:2])),
                )
            )
        return SlowLog(commands=tuple(commands), threshold=self._slow_threshold())

    def _slow_threshold(self) -> int | None:
        """Microseconds from which a command is slow, negative when none is logged; None when it may not be read."""
        import redis

        try:
            return int(self._client.config_get("slowlog-log-slower-than")["slowlog-log-slower-than"] or "")
        except (redis.RedisError, KeyError, ValueError):
            return None

    @cached_property
    def _client(self) -> Redis:
        from airflow.providers.redis.hooks.redis import RedisHook
        from redis.backoff import ConstantBackoff
        from redis.retry import Retry

        client: Redis = RedisHook(redis_conn_id=self.conn_id).get_conn()  # type: ignore[no-untyped-call]
        # The provider passes no time limits on, and the pool hands these to every connection it opens. By itself the
        # client tries again for about ten seconds, at every question.
        client.connection_pool.connection_kwargs.update(
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(ConstantBackoff(RETRY_PAUSE_SECONDS), retries=1),
        )
        return client


def _text(name: bytes | str) -> str:
    """A key's name as text; bytes that are none become visible escapes."""
    return name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")
