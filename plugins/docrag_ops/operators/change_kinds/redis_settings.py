"""Change kind `redis_settings`: settings of Redis, by CONFIG SET, written down by CONFIG REWRITE.

What is proposed and what is refused is in `core/tuning/redis.py`, what may be set in `include/tuning/redis.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.errors import ChangeError, CouldNotMeasureError
from docrag_ops.core.tuning import redis_plan
from docrag_ops.core.tuning.catalogue import Catalogue
from docrag_ops.core.tuning.probes import IN_EFFECT, not_better
from docrag_ops.core.tuning.redis import Situation, canonical, propose
from docrag_ops.hooks.cache_keys import CacheKeys
from docrag_ops.hooks.cache_settings import CacheSettings
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.tuning import (
    catalogue_of,
    memory_limit,
    policy_of,
    profile_of,
    settings_done,
    taken_back,
)

SAMPLED_KEYS = 2000
SCAN_SECONDS = 20.0


class Change:
    """See `operators/changes/flow.py` for what each method is asked."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._policy = policy_of(asking, redis_plan.NAME)
        self._cache = CacheSettings()

    def plan(self) -> Plan:
        """Measure, propose, and refuse what would throw something away."""
        catalogue = catalogue_of(self._asking, "redis")
        profile = profile_of(self._asking, catalogue)
        info, settings = self._cache.info(), self._cache.settings(_names(catalogue))
        limit, source = self._memory_limit()
        section = self._asking.environment.redis
        situation = Situation(
            info=info,
            settings=settings,
            sample=CacheKeys().sample(most=SAMPLED_KEYS, seconds=SCAN_SECONDS),
            memory_limit_bytes=limit,
            memory_limit_from=source,
            catalogue=catalogue,
            session_prefixes=section.session_prefixes if section else (),
        )
        try:
            proposals, silent = propose(situation, profile)
        except KeyError as error:
            raise CouldNotMeasureError(f"Redis' INFO or CONFIG GET has no {error}") from error
        return redis_plan.plan_of(
            self._asking.environment.name,
            proposals,
            settings,
            catalogue=catalogue,
            silent=silent,
            profile=profile,
            config_file=str(info.get("config_file") or ""),
        )

    def _memory_limit(self) -> tuple[float | None, str]:
        limit, source = memory_limit(self._asking, self._policy)
        section = self._asking.environment.redis
        if limit is None and section and section.memory_limit_bytes:
            return float(section.memory_limit_bytes), "redis.memory_limit_bytes of the environment"
        return limit, source

    def measure(self, plan: Plan) -> dict[str, float]:
        """How many planned settings are in effect, and how a key is written and read."""
        in_effect = sum(self._is_set(step) for step in _settings(plan))
        probed = self._cache.probe(self._policy.probe.repeats)
        if not probed.seconds and not in_effect:
            raise CouldNotMeasureError("no key could be written and read: there is nothing to compare with")
        return {IN_EFFECT: float(in_effect), **probed.numbers()}

    def look(self, step: Step) -> Mapping[str, str] | None:
        """The value as it is now; of writing down, the file that Redis runs with."""
        if step.action == redis_plan.WRITE:
            return {"config_file": str(self._cache.info().get("config_file") or "")}
        value = self._value(step)
        return None if value is None else {"value": value}

    def apply(self, step: Step) -> str:
        """Set exactly this setting and read it back, or write all of them down."""
        if step.action == redis_plan.WRITE:
            self._cache.rewrite()
            return "written down"
        name, value = str(step.details["setting"]), str(step.details["value"])
        self._cache.set(name, value)
        if not self._is_set(step):
            raise ChangeError(f"{name} reads back as {self._value(step)!r}; expected {value!r}")
        return f"reads back as {self._value(step)}"

    def was_done(self, step: Step) -> bool:
        """The value is in effect. Writing down is done again: whether it was cannot be seen."""
        return step.action != redis_plan.WRITE and self._is_set(step)

    def improved(self, plan: Plan, before: Mapping[str, float], after: Mapping[str, float]) -> str:
        """Everything that was set is in effect, and no probe got worse."""
        done = settings_done(self._asking, redis_plan.NAME, redis_plan.SET)
        return not_better(before, after, self._policy.probe, done=done)

    def undo(self, plan: Plan) -> str:
        """Back to the former values, written down again; what somebody else set since is left alone."""
        said, any_undone = taken_back(_settings(plan), self._put_back)
        if any_undone and any(step.action == redis_plan.WRITE for step in plan.steps):
            return f"{said} {self._write_down()}"
        return said

    def _put_back(self, step: Step) -> str | None:
        if not self._is_set(step):
            return None
        name, former = str(step.details["setting"]), str(step.details["former"])
        self._cache.set(name, former)
        return f"{name} is {former or '(empty)'} again"

    def _write_down(self) -> str:
        try:
            self._cache.rewrite()
        except ChangeError as error:
            return f"It could not be written down: {error}."
        return "Written down."

    def _value(self, step: Step) -> str | None:
        name = str(step.details["setting"])
        return self._cache.settings([name]).get(name)

    def _is_set(self, step: Step) -> bool:
        value = self._value(step)
        return value is not None and canonical(value) == canonical(str(step.details["value"]))


def _settings(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if step.action == redis_plan.SET]


def _names(catalogue: Catalogue) -> list[str]:
    advised = {name for profile in catalogue.profiles.values() for name in profile}
    return sorted({*catalogue.allowed, *advised, *catalogue.former_names.values()})
