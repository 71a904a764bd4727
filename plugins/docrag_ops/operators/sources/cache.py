"""`measure: {cache: NAME}`: the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from docrag_ops.core import cache as redis_info
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.core.measurements import Measured, Measurement, Outcome
from docrag_ops.hooks.cache import CacheHook
from docrag_ops.operators.asking import Answers, Asking, answer_each


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question; INFO is read once."""
    hook = CacheHook()
    info = cache(hook.info)
    section = asking.environment.redis
    limit = section.memory_limit_bytes if section else None
    from_info: dict[str, Callable[[redis_info.Info], Outcome]] = {
        "memory_used": lambda answered: redis_info.memory_used(answered, container_limit_bytes=limit),
        "evictions": redis_info.evictions,
        "expired_kept": redis_info.expired_kept,
        "rejected_connections": redis_info.rejected_connections,
        "hit_rate": redis_info.hit_rate,
        "clients_used": redis_info.clients_used,
        "persistence_failures": redis_info.persistence_failures,
        "replica_link_down": redis_info.replica_link_down,
        "fragmentation": redis_info.fragmentation,
    }

    def ask(check: Check) -> Outcome:
        if check.asked == "ping":
            return _ping(hook)
        if check.asked == "write":
            return _write(hook)
        try:
            return from_info[check.asked](info())
        except KeyError as error:
            raise CouldNotMeasureError(f"Redis' INFO has no field {error}") from error

    return answer_each(sorted(checks, key=lambda check: check.asked != "ping"), ask)


def _ping(hook: CacheHook) -> Outcome:
    """0 when Redis answers, 1 with the reason when not: a cache that answers nobody is down."""
    try:
        hook.ping()
    except UnreachableError as error:
        return _one(1, str(error))
    return _one(0)


def _write(hook: CacheHook) -> Outcome:
    failure = hook.write_probe()
    return _one(int(bool(failure)), failure)


def _one(value: float, evidence: str = "") -> Measured:
    return Measured((Measurement(subject="redis", value=value, evidence=evidence),))
