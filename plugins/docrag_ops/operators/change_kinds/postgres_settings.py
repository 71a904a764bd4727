"""Change kind `postgres_settings`: settings of PostgreSQL, by ALTER SYSTEM and a reload.

What is proposed is in `core/tuning/postgres.py`, what may be set in `include/tuning/postgres.yaml`. A setting that was
written and not reloaded, as a killed task leaves it, counts as not yet applied.
"""

from __future__ import annotations

from collections.abc import Mapping

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.tuning import postgres_plan
from docrag_ops.core.tuning.catalogue import TuningPolicy
from docrag_ops.core.tuning.postgres import Facts, Situation, propose
from docrag_ops.core.tuning.probes import IN_EFFECT, not_better
from docrag_ops.core.tuning.values import Setting, same, written
from docrag_ops.hooks.database_settings import DatabaseSettings
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.tuning import catalogue_of, memory_limit, policy_of, profile_of


class Change:
    """See `operators/changes/flow.py` for what each method is asked."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._policy: TuningPolicy = policy_of(asking, postgres_plan.NAME)
        self._database = DatabaseSettings(asking.include)

    def plan(self) -> Plan:
        """Measure, propose, and hold every proposal against the server's bounds and the list of what may be set."""
        catalogue = catalogue_of(self._asking, "postgres")
        profile = profile_of(self._asking, catalogue)
        measured, (limit, source) = self._database.facts(), memory_limit(self._asking, self._policy)
        advised = [*catalogue.advice, *(name for one in catalogue.profiles.values() for name in one)]
        settings = self._database.settings(sorted({*catalogue.allowed, *advised}))
        facts = Facts(**measured, memory_limit_bytes=limit, memory_limit_from=source)
        situation = Situation(facts=facts, settings=settings, catalogue=catalogue, policy=self._policy)
        proposals, silent = propose(situation, profile)
        files = [
            ("postgresql.conf", f"it has a line that the server cannot use: {one}")
            for one in self._database.mistakes()
        ]
        files += [
            (one, "written by somebody and not loaded; any reload brings it into effect")
            for one in self._database.unloaded()
        ]
        return postgres_plan.plan_of(
            self._asking.environment.name,
            proposals,
            settings,
            allowed=catalogue.allowed,
            silent=[*files, *silent],
            profile=profile,
        )

    def measure(self, plan: Plan) -> dict[str, float]:
        """How many planned settings are in effect, and how the known question is answered."""
        settings = self._database.settings([_name(step) for step in plan.steps])
        in_effect = sum(_is_set(step, settings.get(_name(step))) for step in plan.steps)
        probe = self._policy.probe
        probed = self._database.probe(probe.query, probe.repeats)
        if not probed.seconds and not in_effect:
            raise CouldNotMeasureError(
                f"the known question ({probe.query}) was not answered once: nothing to compare with"
            )
        return {IN_EFFECT: float(in_effect), **probed.numbers()}

    def look(self, step: Step) -> Mapping[str, str] | None:
        """Value and file as they are now; a value of ours that was written but not loaded is none yet."""
        setting = self._setting(step)
        if setting is None:
            return None
        seen = setting.fingerprint
        ours_not_loaded = (
            setting.value == step.fingerprint["value"]
            and setting.in_file
            and same(setting, setting.in_file, str(step.details["value"]))
        )
        return dict(step.fingerprint) if ours_not_loaded else seen

    def apply(self, step: Step) -> str:
        """Set exactly this setting, reload, and read it back."""
        setting = self._database.set(_name(step), str(step.details["value"]))
        waits = ", and waits for a restart" if setting.pending_restart else ""
        return f"reads back as {written(setting, setting.value)}{waits}"

    def was_done(self, step: Step) -> bool:
        """The value is in effect and in postgresql.auto.conf."""
        setting = self._setting(step)
        return bool(setting and setting.in_file and _is_set(step, setting))

    def improved(self, plan: Plan, before: Mapping[str, float], after: Mapping[str, float]) -> str:
        """Something is in effect that was not, and no probe got worse."""
        return not_better(before, after, self._policy.probe)

    def undo(self, plan: Plan) -> str:
        """Back to the former value, or to what the other files say; what somebody else set since is left alone."""
        undone, left = [], []
        for step in reversed(plan.steps):
            name, former = _name(step), str(step.details["former"]) or None
            setting = self._setting(step)
            if (
                setting is None
                or not setting.in_file
                or not same(setting, setting.in_file, str(step.details["value"]))
            ):
                left.append(name)
                continue
            back = self._database.set(name, former)
            undone.append(f"{name} is {written(back, back.value)} again")
        said = [f"Undone: {', '.join(undone)}." if undone else "Nothing was undone."]
        if left:
            said.append(f"Left alone, as they are not as this run set them: {', '.join(left)}.")
        return " ".join(said)

    def _setting(self, step: Step) -> Setting | None:
        return self._database.settings([_name(step)]).get(_name(step))


def _name(step: Step) -> str:
    return str(step.details["setting"])


def _is_set(step: Step, setting: Setting | None) -> bool:
    return setting is not None and same(setting, setting.value, str(step.details["value"]))
