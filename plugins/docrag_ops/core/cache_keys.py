"""What a sample of a cache's keys says: what lies idle, what never ends, what may be evicted, what to warm."""

from __future__ import annotations

from collections.abc import Sequence

from docrag_ops.core.key_sample import KeySample, size_of
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome, TooLittle
from docrag_ops.core.units import Unit, format_value

IDLE_SECONDS = 86_400
IN_USE_SECONDS = 300
SOON_SECONDS = 300
LEAST_KEYS = 20
USES_COUNTED = "this eviction policy counts uses (LFU), so that Redis does not say since when nobody asked"


def idle_memory(sample: KeySample) -> Outcome:
    """Per prefix the memory of keys idle for a day, of all sampled memory; beside it what the prefix takes."""
    if not sample.keys:
        return _empty(sample)
    if all(key.idle_seconds is None for key in sample.keys):
        return NotConfigured(USES_COUNTED)
    whole = max(1, size_of(sample.keys))
    return Measured(
        tuple(
            Measurement(
                subject=prefix,
                value=size_of([key for key in keys if (key.idle_seconds or 0) >= IDLE_SECONDS]) / whole,
                evidence=f"{prefix} takes {format_value(size_of(keys) / whole, Unit.RATIO)} of the memory, "
                f"{format_value(size_of(keys) / len(keys), Unit.BYTES)} a key; {sample.extent}",
            )
            for prefix, keys in sample.by_prefix().items()
        )
    )


def without_end(sample: KeySample, *, policy: str) -> Outcome:
    """Per prefix the share of keys that never expire; not asked where nothing is ever evicted."""
    if policy == "noeviction":
        return NotConfigured("the policy is noeviction: this Redis keeps what it is given")
    if not sample.keys:
        return _empty(sample)
    return Measured(
        tuple(
            Measurement(
                subject=prefix,
                value=sum(key.expires_seconds is None for key in keys) / len(keys),
                evidence=f"{len(keys):,} keys of {prefix} in {sample.extent}, policy {policy}",
            )
            for prefix, keys in sample.by_prefix().items()
        )
    )


def sessions_evictable(sample: KeySample, *, policy: str, prefixes: Sequence[str]) -> Outcome:
    """Sessions, and keys that never expire, under a policy that evicts any key."""
    if not policy.startswith("allkeys"):
        evidence = f"policy {policy} spares keys that never expire"
        return Measured((Measurement(subject="redis", value=0, evidence=evidence),))
    if not sample.keys:
        return _empty(sample)
    sessions = sample.sessions(prefixes)
    forever = sample.count(lambda key: key.expires_seconds is None)
    evidence = (
        f"policy {policy}: {sessions:,} sessions, {forever:,} keys that never expire, in {sample.extent}"
    )
    return Measured((Measurement(subject="redis", value=max(sessions, forever), evidence=evidence),))


def to_warm(sample: KeySample) -> Outcome:
    """Per prefix the share of keys in use that expire soon; of a few keys nothing is said."""
    found = []
    for prefix, keys in sample.by_prefix().items():
        used = [key for key in keys if key.idle_seconds is None or key.idle_seconds <= IN_USE_SECONDS]
        soon = [
            key for key in used if key.expires_seconds is not None and key.expires_seconds <= SOON_SECONDS
        ]
        if len(used) >= LEAST_KEYS:
            evidence = f"warm {prefix}: {len(soon):,} of its {len(used):,} keys in use; {sample.extent}"
            found.append(Measurement(subject=prefix, value=len(soon) / len(used), evidence=evidence))
    if not found:
        return TooLittle(f"no prefix has {LEAST_KEYS} keys in use in {sample.extent}")
    return Measured(tuple(found))


def _empty(sample: KeySample) -> TooLittle:
    return TooLittle(f"there is no key to look at ({sample.extent})")
