"""Whether a probe got worse: how long a known question takes, errors, refused connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from docrag_ops.core.tuning.catalogue import ProbePolicy
from docrag_ops.core.units import Unit, format_value

SECONDS, ERRORS, REFUSED = "probe_seconds", "probe_errors", "connections_refused"
IN_EFFECT = "settings_in_effect"


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What several askings of a known question came to."""

    seconds: Sequence[float]
    errors: int = 0
    refused: int = 0

    def numbers(self) -> dict[str, float]:
        """For the proof; no time when nothing was answered."""
        times = {SECONDS: median(self.seconds)} if self.seconds else {}
        return {**times, ERRORS: float(self.errors), REFUSED: float(self.refused)}


def worse(before: Mapping[str, float], after: Mapping[str, float], policy: ProbePolicy) -> str:
    """What got worse, in words; empty when nothing did."""
    texts = [
        f"{name.replace('_', ' ')}: {after.get(name, 0):.0f} of {policy.repeats}, {before.get(name, 0):.0f} before"
        for name in (ERRORS, REFUSED)
        if after.get(name, 0) > before.get(name, 0)
    ]
    if SECONDS in before and SECONDS not in after:
        texts.append("the known question is not answered any more")
    elif SECONDS in before:
        limit = max(before[SECONDS] * policy.worse_times, before[SECONDS] + policy.worse_seconds)
        if after[SECONDS] > limit:
            one, other = (format_value(side[SECONDS], Unit.SECONDS) for side in (before, after))
            texts.append(f"the known question takes {other} (median of {policy.repeats}), {one} before")
    return "; ".join(texts)


def not_better(
    before: Mapping[str, float], after: Mapping[str, float], policy: ProbePolicy, *, done: int
) -> str:
    """Why a change of settings did not do what it was for; empty when it did.

    :param done: how many settings were set
    """
    if after.get(IN_EFFECT, 0) <= before.get(IN_EFFECT, 0):
        return "no planned setting is in effect that was not before"
    if after[IN_EFFECT] < done:
        return f"{after[IN_EFFECT]:.0f} of the {done} settings that were set are still in effect"
    return worse(before, after, policy)
