"""Redis' settings and keys: CONFIG GET, SET and REWRITE, a timed probe, and a sample by SCAN. Never a flush."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from docrag_ops.core.errors import ChangeError, CouldNotMeasureError, UnreachableError
from docrag_ops.core.tuning.keys import KeyFact, KeySample, prefix_of
from docrag_ops.core.tuning.probes import Probed
from docrag_ops.hooks.cache import CacheHook

SCAN_COUNT = 250
MOST_ROUNDS = 400
MEMORY_SAMPLES = 5
Answer = TypeVar("Answer")


class CacheSettings(CacheHook):
    """By the same Connection as the checks, `docrag_redis`."""

    def settings(self, names: Sequence[str]) -> dict[str, str]:
        """Settings by name; names that the server does not know are left out.

        :raises CouldNotMeasureError: when CONFIG is renamed or not allowed.
        """
        found: dict[str, str] = {}
        for name in names:
            answer = self._asked(lambda name=name: self._client.config_get(name), f"CONFIG GET {name}")  # type: ignore[misc]
            found |= {_text(key): _text(value) for key, value in answer.items() if _text(key) == name}
        return found

    def set(self, name: str, value: str) -> None:
        """CONFIG SET.

        :raises ChangeError: in Redis' words
        """
        with _changing(f"CONFIG SET {name} {value}"):
            self._client.config_set(name, value)

    def rewrite(self) -> None:
        """CONFIG REWRITE: all settings, into the file that Redis was started with.

        :raises ChangeError: without a file, or when it cannot be written: then a restart forgets what was set.
        """
        with _changing("CONFIG REWRITE"):
            self._client.config_rewrite()

    def probe(self, repeats: int) -> Probed:
        """Write, read and delete a key of our own so often."""
        seconds, errors, refused = [], 0, 0
        for _ in range(repeats):
            try:
                self.ping()
            except UnreachableError:
                refused += 1
                continue
            began = time.monotonic()
            if self.write_probe():
                errors += 1
            else:
                seconds.append(time.monotonic() - began)
        return Probed(seconds=seconds, errors=errors, refused=refused)

    def sample(self, most: int) -> KeySample:
        """Up to so many keys of the Connection's database, in SCAN's order, which is none of the names'."""
        total, cursor = self._asked(self._client.dbsize, "DBSIZE"), 0
        names: list[bytes] = []
        for _ in range(MOST_ROUNDS):
            cursor, found = self._asked(
                lambda at=cursor: self._client.scan(cursor=at, count=SCAN_COUNT),  # type: ignore[misc]
                "SCAN",
            )
            names += [one.encode() if isinstance(one, str) else one for one in found]
            if cursor == 0 or len(names) >= most:
                break
        facts = self._asked(lambda: self._facts(names[:most]), "MEMORY USAGE")
        return KeySample(keys=facts, total=total)

    def _facts(self, names: Sequence[bytes]) -> list[KeyFact]:
        """What is known of each key that is still there."""
        with self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.memory_usage(name, samples=MEMORY_SAMPLES)
                pipe.pttl(name)
                pipe.object("IDLETIME", name)
            answers: list[Any] = pipe.execute(raise_on_error=False)
        refused = next((one for one in answers[0::3] + answers[1::3] if isinstance(one, Exception)), None)
        if refused:  # of keys that cannot be seen, nothing is known: they may be sessions
            raise CouldNotMeasureError(f"Redis ({self.conn_id}) does not show what its keys are: {refused}")
        rows = zip(names, answers[0::3], answers[1::3], answers[2::3], strict=True)
        return [
            KeyFact(
                prefix=prefix_of(name),
                size_bytes=size,
                expires_seconds=None if milliseconds == -1 else milliseconds / 1000,
                idle_seconds=float(idle) if isinstance(idle, int) else None,
            )
            for name, size, milliseconds, idle in rows
            if isinstance(size, int) and isinstance(milliseconds, int) and milliseconds != -2
        ]

    def _asked(self, question: Callable[[], Answer], what: str) -> Answer:
        import redis

        try:
            return question()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise UnreachableError(f"Redis ({self.conn_id}) does not answer {what}: {error}") from error
        except redis.RedisError as error:
            raise CouldNotMeasureError(f"Redis ({self.conn_id}) does not answer {what}: {error}") from error


@contextmanager
def _changing(what: str) -> Iterator[None]:
    import redis

    try:
        yield
    except redis.RedisError as error:
        raise ChangeError(f"{what}: {error}") from error


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
