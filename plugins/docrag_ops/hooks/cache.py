"""Redis: INFO, and a probe that writes, reads and deletes."""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.errors import UnreachableError

if TYPE_CHECKING:
    from redis import Redis

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
RETRY_PAUSE_SECONDS = 0.2
PROBE_LIFE_SECONDS = 60


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
        """All sections of INFO as one mapping."""
        import redis

        try:
            return dict(self._client.info())
        except redis.RedisError as error:
            raise UnreachableError(f"Redis ({self.conn_id}) does not answer INFO: {error}") from error

    def write_probe(self) -> str:
        """Set, get and delete one key of our own; the text says what failed, empty when all went well.

        The key is unique and expires by itself, so a run that is killed half-way leaves nothing behind.
        """
        import redis

        key, value = f"docrag-ops:probe:{uuid.uuid4()}", uuid.uuid4().hex
        try:
            self._client.set(key, value, ex=PROBE_LIFE_SECONDS)
            answer = self._client.get(key)
            deleted = self._client.delete(key)
        except redis.RedisError as error:
            return f"{type(error).__name__}: {error}"
        if answer != value.encode() or deleted != 1:
            return f"wrote {value!r}, read {answer!r}, deleted {deleted} keys; expected the same value and 1"
        return ""

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
