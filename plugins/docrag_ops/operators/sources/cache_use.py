"""`measure: {cache_use: NAME}`: what the cache is used for, and how fast it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from docrag_ops.core import cache as redis_info
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Outcome
from docrag_ops.core.performance import keys
from docrag_ops.hooks.cache_keys import CacheKeys
from docrag_ops.operators.asking import Answers, Asking, answer_each

PINGS = 100
MOST_KEYS = 50_000
SCAN_SECONDS = 20.0


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question; INFO and the sample of keys are read once. Never KEYS, which blocks everybody."""
    hook = CacheKeys()
    info = cache(hook.info)
    sample = cache(lambda: hook.sample(most=MOST_KEYS, seconds=SCAN_SECONDS))
    section = asking.environment.redis
    container = section.memory_limit_bytes if section else None
    questions: dict[str, Callable[[], Outcome]] = {
        "hit_rate": lambda: redis_info.hit_rate(info()),
        "evictions": lambda: redis_info.evictions(info()),
        "latency": lambda: keys.latency(hook.ping_seconds(PINGS)),
        "slowest_command": lambda: keys.slowest_command(hook.slow_log(), now=asking.now),
        "biggest_keys": lambda: keys.biggest(sample()),
        "memory_by_prefix": lambda: keys.by_prefix(
            sample(), limit_bytes=float(str(info()["maxmemory"])) or container
        ),
    }

    def ask(check: Check) -> Outcome:
        try:
            return questions[check.asked]()
        except KeyError as error:
            raise CouldNotMeasureError(f"Redis' INFO has no field {error}") from error

    return answer_each(checks, ask)
