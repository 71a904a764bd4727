"""Redis' settings: CONFIG GET, SET and REWRITE, and a timed probe. Never a flush."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from docrag_ops.core.errors import ChangeError, CouldNotMeasureError, UnreachableError
from docrag_ops.core.tuning.probes import Probed
from docrag_ops.hooks.cache import CacheHook

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
            try:
                failed = bool(self.write_probe())
            except CouldNotMeasureError:
                failed = True
            if failed:
                errors += 1
            else:
                seconds.append(time.monotonic() - began)
        return Probed(seconds=seconds, errors=errors, refused=refused)

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
