"""Proposals for Redis, put together to the plan of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.tuning.catalogue import Catalogue, Proposal
from docrag_ops.core.tuning.redis import canonical

NAME = "redis_settings"
TARGET = "Redis settings"
SET, WRITE = "set", "write down"


def plan_of(
    environment: str,
    proposals: Sequence[Proposal],
    settings: Mapping[str, str],
    *,
    catalogue: Catalogue,
    silent: Sequence[tuple[str, str]],
    profile: str,
    config_file: str,
) -> Plan:
    """The plan: what is set, then written down where Redis has a file; what is left alone; what is handed over.

    :param settings: CONFIG GET by the names of the server; one that it lacks is missing
    """
    steps, protected, handed_over = [], list(silent), []
    for proposal in proposals:
        name = _name_here(proposal.name, settings, catalogue)
        reason = _left_alone(proposal, name, catalogue)
        if reason:
            protected.append((proposal.name, reason))
        elif canonical(settings[name]) == canonical(proposal.value):
            continue
        elif proposal.restart:
            handed_over.append(
                (name, f"handed over, it needs a restart of Redis: {name} {proposal.value}; {proposal.why}")
            )
        else:
            steps.append(_step(name, settings[name], proposal))
    count = len(steps)
    if steps and config_file:
        seen = {"config_file": config_file}
        steps.append(Step(action=WRITE, subject=config_file, target=TARGET, fingerprint=seen))
    elif steps:
        lines = "; ".join(f"{one.details['setting']} {one.details['value']}" for one in steps)
        text = f"handed over: Redis runs without a file and forgets these at a restart; into its manifest: {lines}"
        handed_over.append(("redis.conf", text))
    return Plan(
        change=NAME,
        environment=environment,
        summary=f"Set {count} of Redis' settings{' and write them down' if count and config_file else ''} "
        f"(profile {profile}); {len(handed_over)} things are handed over.",
        steps=tuple(steps),
        amounts={"settings": count},
        expected="Each setting reads back as planned, and a key is written and read as fast as before. CONFIG REWRITE "
        "also writes down what others have set by hand.",
        undo="CONFIG SET to the former value, and CONFIG REWRITE; done by itself when the probe gets worse",
        protected=tuple(protected),
        handed_over=tuple(handed_over),
    )


def _name_here(name: str, settings: Mapping[str, str], catalogue: Catalogue) -> str:
    """What this server calls the setting; empty when it does not know it."""
    return next((one for one in (name, catalogue.former_names.get(name, "")) if one in settings), "")


def _left_alone(proposal: Proposal, name: str, catalogue: Catalogue) -> str:
    if proposal.refused:
        return f"refused: {proposal.refused}"
    if proposal.name not in catalogue.allowed and not proposal.restart:
        return "refused: it is none of the settings that may be changed (include/tuning/redis.yaml)"
    return "" if name else "this server has no such setting"


def _step(name: str, now: str, proposal: Proposal) -> Step:
    mind = f" (mind: {proposal.warning})" if proposal.warning else ""
    return Step(
        action=SET,
        subject=f"{name} from {now or '(empty)'} to {proposal.value}",
        target=TARGET,
        fingerprint={"value": now},
        details={
            "setting": name,
            "value": proposal.value,
            "former": now,
            "why": f"{proposal.why}; takes effect at once{mind}",
        },
    )
