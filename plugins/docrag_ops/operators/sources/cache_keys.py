"""`measure: {cache_keys: NAME}`: what is kept in the cache, from one sample of its keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from docrag_ops.core import cache_keys
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Outcome
from docrag_ops.hooks.cache_keys import CacheKeys
from docrag_ops.operators.asking import Answers, Asking, answer_each

SAMPLED_KEYS = 5000
SCAN_SECONDS = 20.0
POLICY = "maxmemory_policy"


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Take one sample, and ask each question of it.

    :raises CouldNotMeasureError: when Redis does not answer, or hides its keys.
    """
    hook = CacheKeys()
    info = hook.info()
    if POLICY not in info:
        raise CouldNotMeasureError(f"Redis' INFO has no field {POLICY!r}")
    sample, policy = hook.sample(most=SAMPLED_KEYS, seconds=SCAN_SECONDS), str(info[POLICY])
    section = asking.environment.redis
    prefixes = section.session_prefixes if section else ()
    questions: dict[str, Callable[[], Outcome]] = {
        "idle_memory": lambda: cache_keys.idle_memory(sample),
        "without_end": lambda: cache_keys.without_end(sample, policy=policy),
        "sessions_evictable": lambda: cache_keys.sessions_evictable(sample, policy=policy, prefixes=prefixes),
        "to_warm": lambda: cache_keys.to_warm(sample),
    }
    return answer_each(checks, lambda check: questions[check.asked]())
