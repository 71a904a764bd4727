"""Proposals for PostgreSQL, put together to the plan of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.tuning.catalogue import Proposal
from docrag_ops.core.tuning.values import Setting, canonical, same, written

NAME = "postgres_settings"
TARGET = "PostgreSQL settings"
RESTARTS = "postmaster"
SET = "set"
NEW_SESSIONS = ("backend", "superuser-backend")
OF_NO_EFFECT = {
    "command line": "the server was started with it on its command line, where ALTER SYSTEM has no effect",
    "environment variable": "it comes from the server's surroundings, where ALTER SYSTEM has no effect",
    **dict.fromkeys(
        ("database", "user", "database user", "global", "client", "session"),
        "the database, or the role or options of docrag_postgres_change, has a value of its own, which ALTER SYSTEM "
        "does not change",
    ),
}


@dataclass(frozen=True)
class Sorted:
    """What becomes of each proposal."""

    steps: tuple[Step, ...]
    protected: tuple[tuple[str, str], ...]
    handed_over: tuple[tuple[str, str], ...]


def plan_of(
    environment: str,
    proposals: Sequence[Proposal],
    settings: Mapping[str, Setting],
    *,
    allowed: Sequence[str],
    silent: Sequence[tuple[str, str]],
    profile: str,
    measured: str = "",
) -> Plan:
    """The plan: what is set and reloaded, what is left alone and why, what is handed over as it needs a restart."""
    found = sort(proposals, settings, allowed=allowed)
    return Plan(
        change=NAME,
        environment=environment,
        summary=f"Set {len(found.steps)} of PostgreSQL's settings and reload them (profile {profile}); "
        f"{len(found.handed_over)} more need a restart and are handed over. Measured: {measured or 'nothing'}",
        steps=found.steps,
        amounts={"settings": len(found.steps)},
        expected="Each setting reads back as planned, and the known question is answered as fast as before.",
        undo="ALTER SYSTEM to the former value, or RESET where there was none, and a reload; done by itself when the "
        "probe gets worse",
        protected=(*silent, *found.protected),
        handed_over=found.handed_over,
    )


def sort(proposals: Sequence[Proposal], settings: Mapping[str, Setting], *, allowed: Sequence[str]) -> Sorted:
    """What becomes of each proposal; what is as proposed already is in none of the three."""
    steps, protected, handed_over = [], [], []
    for proposal in proposals:
        setting = settings.get(proposal.name)
        reason = _left_alone(proposal, setting, allowed)
        if reason or setting is None:
            protected.append((proposal.name, reason))
            continue
        value = canonical(setting, proposal.value)
        if setting.context == RESTARTS:
            if setting.pending_restart or not same(setting, value, setting.value):
                handed_over.append((setting.name, _by_hand(setting, proposal, value)))
        elif not same(setting, value, setting.value):
            steps.append(_step(setting, proposal, value))
    return Sorted(tuple(steps), tuple(protected), tuple(handed_over))


def _left_alone(proposal: Proposal, setting: Setting | None, allowed: Sequence[str]) -> str:
    if proposal.refused:
        return f"refused: {proposal.refused}"
    if proposal.name not in allowed:
        return "refused: it is none of the settings that may be changed (include/tuning/postgres.yaml)"
    if setting is None:
        return "this server has no such setting"
    try:
        canonical(setting, proposal.value)
    except ValueError as error:
        return f"refused: {error}"
    if setting.source in OF_NO_EFFECT:
        return OF_NO_EFFECT[setting.source]
    return "" if setting.pending_restart else _not_loaded(setting)


def _not_loaded(setting: Setting) -> str:
    """Somebody's ALTER SYSTEM that was not reloaded is not ours to bring into effect."""
    if not setting.in_file or same(setting, setting.in_file, setting.value):
        return ""
    return (
        f"somebody has set it to {setting.in_file} and it is not in effect (now {written(setting, setting.value)}): "
        f"SELECT pg_reload_conf(), or ALTER SYSTEM RESET {setting.name}"
    )


def _step(setting: Setting, proposal: Proposal, value: str) -> Step:
    takes = "a reload, new sessions only" if setting.context in NEW_SESSIONS else "a reload"
    warnings = [proposal.warning] if proposal.warning else []
    if setting.overrides:
        warnings.append(f"{setting.overrides} keep a value of their own")
    more = f" (mind: {'; '.join(warnings)})" if warnings else ""
    return Step(
        action=SET,
        subject=f"{setting.name} from {written(setting, setting.value)} to {written(setting, value)}",
        target=TARGET,
        fingerprint=setting.fingerprint,
        details={
            "setting": setting.name,
            "value": written(setting, value),
            "former": setting.in_file,
            "why": f"{proposal.why}; takes {takes}{more}",
        },
    )


def _by_hand(setting: Setting, proposal: Proposal, value: str) -> str:
    if setting.pending_restart:
        return (
            f"handed over: {setting.in_file or 'another value'} is set and waits for a restart of PostgreSQL"
        )
    return (
        f"handed over, it needs a restart of PostgreSQL: ALTER SYSTEM SET {setting.name} = "
        f"'{written(setting, value)}'; now {written(setting, setting.value)}; {proposal.why}"
    )
