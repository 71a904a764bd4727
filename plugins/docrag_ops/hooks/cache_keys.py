"""A sample of Redis' keys by SCAN. Never KEYS, which blocks everybody; never a value."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.key_sample import KeyFact, KeySample
from docrag_ops.hooks.cache import CacheHook

KEYS_AT_ONCE = 500
MEMORY_SAMPLES = 5
"""Of a list, hash or set Redis measures so many members and multiplies."""


class CacheKeys(CacheHook):
    """By the same Connection as the checks, `docrag_redis`; of its database only."""

    def sample(self, *, most: int, seconds: float) -> KeySample:
        """About so many keys, in SCAN's order, which is none of the names', within so many seconds.

        A key that is gone before it is looked at is left out.

        :raises CouldNotMeasureError: when the role may not SCAN or see what a key is.
        """
        import redis

        until, cursor = time.monotonic() + seconds, 0
        found: dict[str, KeyFact] = {}  # SCAN may name a key twice
        try:
            total = int(self._client.dbsize())
            while True:
                cursor, names = self._client.scan(cursor, count=KEYS_AT_ONCE)
                found |= {fact.name: fact for fact in self._facts(names)}
                if cursor == 0 or len(found) >= most or time.monotonic() > until:
                    return KeySample(keys=list(found.values()), total=total, is_whole=cursor == 0)
        except redis.RedisError as error:
            raise CouldNotMeasureError(
                f"Redis ({self.conn_id}) does not show its keys (SCAN, MEMORY USAGE, PTTL): {error}"
            ) from error

    def _facts(self, names: Sequence[bytes | str]) -> list[KeyFact]:
        """What is known of each key that is still there."""
        with self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.memory_usage(name, samples=MEMORY_SAMPLES)
                pipe.pttl(name)
                pipe.object("IDLETIME", name)
            answers: list[Any] = pipe.execute(raise_on_error=False)
        for one in answers[0::3] + answers[1::3]:
            if isinstance(
                one, Exception
            ):  # of keys that cannot be seen, nothing is known: they may be sessions
                raise one
        rows = zip(names, answers[0::3], answers[1::3], answers[2::3], strict=True)
        return [
            KeyFact(
                name=name if isinstance(name, str) else name.decode("utf-8", "backslashreplace"),
                size_bytes=size,
                expires_seconds=None if milliseconds == -1 else milliseconds / 1000,
                idle_seconds=float(idle) if isinstance(idle, int) else None,
            )
            for name, size, milliseconds, idle in rows
            if isinstance(size, int) and isinstance(milliseconds, int) and milliseconds != -2
        ]
