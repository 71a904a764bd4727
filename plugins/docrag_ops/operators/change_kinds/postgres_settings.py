"""Change kind `postgres_settings`: settings of PostgreSQL, by ALTER SYSTEM and a reload.

What is proposed is in `core/tuning/postgres.py`, what may be set in `include/tuning/postgres.yaml`. A setting that was
written and not reloaded, as a killed task leaves it, counts as not yet applied.
"""

from __future__ import annotations

from collections.abc import Mapping

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.errors import ChangeError, CouldNotMeasureError
from docrag_ops.core.tuning import postgres_plan
from docrag_ops.core.tuning.catalogue import TuningPolicy
from docrag_ops.core.tuning.config_map import PATCH, ConfigMapPolicy, lines_of, with_config_map
from docrag_ops.core.tuning.postgres import Facts, Situation, propose
from docrag_ops.core.tuning.postgresql_conf import digest, edited, restored
from docrag_ops.core.tuning.probes import IN_EFFECT, not_better
from docrag_ops.core.tuning.values import Setting, same, written
from docrag_ops.hooks.config_maps import ConfigMaps
from docrag_ops.hooks.database_settings import DatabaseSettings
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.tuning import (
    catalogue_of,
    memory_limit,
    policy_of,
    profile_of,
    settings_done,
    taken_back,
)


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
        plan = postgres_plan.plan_of(
            self._asking.environment.name,
            proposals,
            settings,
            allowed=catalogue.allowed,
            silent=[*files, *silent],
            profile=profile,
            measured=str(facts),
        )
        where = self._policy.config_map
        return with_config_map(plan, where, ConfigMaps().read(where)) if where and plan.steps else plan

    def measure(self, plan: Plan) -> dict[str, float]:
        """How many planned settings are in effect, and how the known question is answered."""
        steps = _sets(plan)
        settings = self._database.settings([_name(step) for step in steps])
        in_effect = sum(_is_set(step, settings.get(_name(step))) for step in steps)
        probe = self._policy.probe
        probed = self._database.probe(probe.query, probe.repeats)
        if not probed.seconds and not in_effect:
            raise CouldNotMeasureError(
                f"the known question ({probe.query}) was not answered once: nothing to compare with"
            )
        return {IN_EFFECT: float(in_effect), **probed.numbers()}

    def look(self, step: Step) -> Mapping[str, str] | None:
        """Value and file as they are now; a value of ours that was written but not loaded is none yet."""
        if step.action == PATCH:
            return ConfigMaps().read(self._where()).fingerprint
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
        if step.action == PATCH:
            return self._patch(step)
        setting = self._database.set(_name(step), str(step.details["value"]))
        waits = ", and waits for a restart" if setting.pending_restart else ""
        return f"reads back as {written(setting, setting.value)}{waits}"

    def was_done(self, step: Step) -> bool:
        """The value is in effect and in postgresql.auto.conf."""
        if step.action == PATCH:
            return digest(ConfigMaps().read(self._where()).content) == str(step.details["text_after"])
        setting = self._setting(step)
        return bool(setting and setting.in_file and _is_set(step, setting))

    def improved(self, plan: Plan, before: Mapping[str, float], after: Mapping[str, float]) -> str:
        """Everything that was set is in effect, and no probe got worse."""
        done = settings_done(self._asking, postgres_plan.NAME, postgres_plan.SET)
        return not_better(before, after, self._policy.probe, done=done)

    def undo(self, plan: Plan) -> str:
        """Back to the former value, or to what the other files say; what somebody else set since is left alone."""
        said, _ = taken_back(_sets(plan), self._put_back)
        return " ".join([said, *(self._patch_back(step) for step in plan.steps if step.action == PATCH)])

    def _put_back(self, step: Step) -> str | None:
        setting = self._setting(step)
        ours = setting and setting.in_file and same(setting, setting.in_file, str(step.details["value"]))
        if not ours:
            return None
        back = self._database.set(_name(step), str(step.details["former"]) or None)
        return f"{_name(step)} is {written(back, back.value)} again"

    def _patch(self, step: Step) -> str:
        """Change the planned lines of the ConfigMap as it was planned."""
        where, config_maps = self._where(), ConfigMaps()
        text = config_maps.read(where)
        try:
            after = edited(text.content, lines_of(step.details))
        except ValueError as error:
            raise ChangeError(f"{where}: {error}") from error
        if digest(after) != step.details["text_after"]:
            raise ChangeError(f"{where} would not become what was planned: it was changed meanwhile")
        config_maps.write(where, after, version=step.fingerprint["resourceVersion"])
        return (
            f"{len(lines_of(step.details))} lines changed; in the pod when the kubelet has updated its volume"
        )

    def _patch_back(self, step: Step) -> str:
        """The ConfigMap as it was, where it still is as this run left it."""
        try:
            where, config_maps = self._where(), ConfigMaps()
            text = config_maps.read(where)
            if digest(text.content) != step.details["text_after"]:
                return f"{where} is left alone: it is not as this run would have left it."
            config_maps.write(where, restored(text.content, lines_of(step.details)), version=text.version)
        except (ChangeError, CouldNotMeasureError, ValueError) as error:
            return f"NOT undone, do it by hand: {step.subject} ({error})."
        return f"{where} is as before."

    def _where(self) -> ConfigMapPolicy:
        if self._policy.config_map is None:
            raise ChangeError("the environment names no ConfigMap any more (policy.config_map)")
        return self._policy.config_map

    def _setting(self, step: Step) -> Setting | None:
        return self._database.settings([_name(step)]).get(_name(step))


def _sets(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if step.action == postgres_plan.SET]


def _name(step: Step) -> str:
    return str(step.details["setting"])


def _is_set(step: Step, setting: Setting | None) -> bool:
    return setting is not None and same(setting, setting.value, str(step.details["value"]))
