"""Decisions about log files, put together to the plan of a change, and the numbers that prove it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.logs.cleanup import Action, CleanupPolicy, Decision
from docrag_ops.core.logs.files import PART, LogFile, shown_name, used_bytes
from docrag_ops.core.units import Unit, format_value

NAME = "log_cleanup"
MOST_PROTECTED = 500
UNDO = "a deleted rotation is gone for good; a compressed one comes back with gunzip"


def plan_of(
    environment: str,
    policy: CleanupPolicy,
    pods: Mapping[str, Sequence[Decision]],
    troubles: Sequence[tuple[str, str]],
) -> Plan:
    """The plan for all pods that could be measured.

    :param pods: decisions by target, which is NAMESPACE/POD
    :param troubles: (target, what could not be seen there)
    """
    chosen = [_step(target, one) for target, found in pods.items() for one in found if one.action]
    # Deleting comes first: it makes the room that an archive needs, and clears what a killed compression left.
    steps = tuple(sorted(chosen, key=lambda step: step.action != Action.DELETE))
    deleted = [step.size_bytes for step in steps if step.action == Action.DELETE]
    compressed = [step.size_bytes for step in steps if step.action == Action.COMPRESS]
    used = sum(used_bytes([one.file for one in found]) for found in pods.values())
    planned = sum(deleted) + sum(compressed)
    protected = [
        (f"{target}:{shown_name(one.file.path)}", one.rule)
        for target, found in pods.items()
        for one in found
        if one.rule
    ]
    more = len(protected) - MOST_PROTECTED
    rest = [("(others)", f"{more:,} more files are protected by the same rules")] if more > 0 else []
    return Plan(
        change=NAME,
        environment=environment,
        summary=f"Delete {len(deleted):,} log rotations older than {policy.retention_days:g} days "
        f"({_bytes(sum(deleted))}) and compress {len(compressed):,} older than {policy.compress_after_days:g} days "
        f"({_bytes(sum(compressed))}) in {len({step.target for step in steps}):,} of {len(pods):,} pods.",
        steps=steps,
        amounts={
            "files": len(steps),
            "bytes": planned,
            "share": round(min(1.0, planned / used), 4) if used else 0.0,
        },
        expected=f"At least {_bytes(sum(deleted))} less on the nodes' disks.",
        undo=UNDO,
        protected=(*troubles, *protected[:MOST_PROTECTED], *rest),
    )


def _step(target: str, decision: Decision) -> Step:
    file = decision.file
    return Step(
        action=str(decision.action),
        subject=f"{target}:{shown_name(file.path)}",
        target=target,
        fingerprint=file.fingerprint(),
        size_bytes=file.size_bytes,
        details={"path": file.path},
    )


def numbers(plan: Plan, listed: Mapping[str, Sequence[LogFile]]) -> dict[str, float]:
    """Per pod of the plan: what all files use, and the size of those that the plan is about, their archives too."""
    found: dict[str, float] = {}
    for target in plan.targets:
        paths = {str(step.details["path"]) for step in plan.steps if step.target == target}
        paths |= {path + end for path in tuple(paths) for end in (".gz", PART, PART + ".gz")}
        files = listed[target]
        found[f"used_bytes {target}"] = used_bytes(list(files))
        found[f"planned_bytes {target}"] = sum(file.size_bytes for file in files if file.path in paths)
    return found


def not_smaller(plan: Plan, before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Where the planned files take as much as before, in words. What other files grew by is not the plan's matter."""
    kept = [
        target
        for target in plan.targets
        if after.get(f"planned_bytes {target}", 0.0) >= before.get(f"planned_bytes {target}", 0.0) > 0
    ]
    return f"no space was freed in {', '.join(kept)}" if kept else ""


def _bytes(size: float) -> str:
    return format_value(size, Unit.BYTES)
