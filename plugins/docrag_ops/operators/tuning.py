"""What the tuning of PostgreSQL and of Redis have in common: policy, catalogue, profile, memory limit, proof, undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from docrag_ops.core.changes import Step, StepOutcome
from docrag_ops.core.cluster.quantities import parse_quantity
from docrag_ops.core.environments import Workload
from docrag_ops.core.errors import ChangeError, CouldNotMeasureError, DefinitionError
from docrag_ops.core.records import load_yaml, parse_record
from docrag_ops.core.tuning.catalogue import Catalogue, TuningPolicy
from docrag_ops.hooks.change_records import ChangeRecords
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.operators.asking import Asking

MEASURED = "measured"


def policy_of(asking: Asking, change: str) -> TuningPolicy:
    """The environment's policy for a tuning.

    :raises DefinitionError: when it is wrong, or the environment has no such change.
    """
    name = asking.environment.name
    return parse_record(
        TuningPolicy,
        asking.environment.change(change).policy,
        what=f"changes.{change}.policy of environment {name!r}",
        where=f"include/environments/{name}.yaml",
    )


def catalogue_of(asking: Asking, system: str) -> Catalogue:
    """What may be set, and the profiles: include/tuning/SYSTEM.yaml."""
    where = f"include/tuning/{system}.yaml"
    data = load_yaml(asking.include.text(f"tuning/{system}.yaml"), where=where)
    return parse_record(Catalogue, data, what="the catalogue of settings", where=where)


def profile_of(asking: Asking, catalogue: Catalogue) -> str:
    """The profile that was asked for in the form.

    :raises DefinitionError: naming those that there are
    """
    profile = str(asking.params.get("profile", MEASURED))
    if profile not in (MEASURED, *catalogue.profiles):
        known = ", ".join((MEASURED, *catalogue.profiles))
        raise DefinitionError(f"Profile {profile!r} is not known; expected one of: {known}")
    return profile


def settings_done(asking: Asking, change: str, action: str) -> int:
    """How many settings this run has set, as its record says: so many have to be in effect when it is proved."""
    record = ChangeRecords().find(asking.run, change)
    steps = record.steps if record else ()
    return sum(step.action == action and step.outcome is StepOutcome.DONE for step in steps)


def taken_back(steps: Sequence[Step], put_back: Callable[[Step], str | None]) -> tuple[str, bool]:
    """Take settings back, the last first; says what became of each, and whether any is back.

    One that cannot be taken back keeps no other from it.

    :param put_back: takes one back and says so in words; None when it is not as this run set it
    """
    undone, left, failed = [], [], []
    for step in reversed(steps):
        name = str(step.details["setting"])
        try:
            said = put_back(step)
        except (ChangeError, CouldNotMeasureError) as error:
            failed.append(f"{name} ({error})")
            continue
        if said is None:
            left.append(name)
        else:
            undone.append(said)
    parts = [f"Undone: {', '.join(undone)}." if undone else "Nothing was undone."]
    if left:
        parts.append(f"Left alone, as they are not as this run set them: {', '.join(left)}.")
    if failed:
        parts.append(f"NOT undone, do it by hand: {'; '.join(failed)}.")
    return " ".join(parts), bool(undone)


def memory_limit(asking: Asking, policy: TuningPolicy) -> tuple[float | None, str]:
    """The container's memory limit in bytes and where that is from; None and why when it is not known."""
    if policy.memory_limit_bytes is not None:
        return float(policy.memory_limit_bytes), "policy.memory_limit_bytes of the environment"
    cluster = asking.environment.cluster
    workload = cluster.workloads.get(policy.workload) if cluster else None
    if workload is None:
        return (
            None,
            "policy.workload names no workload of cluster.workloads, and policy.memory_limit_bytes is not given",
        )
    try:
        return _limit_in_cluster(workload, policy)
    except CouldNotMeasureError as error:
        return None, str(error)


def _limit_in_cluster(workload: Workload, policy: TuningPolicy) -> tuple[float | None, str]:
    path = f"/apis/apps/v1/namespaces/{workload.namespace}/{workload.kind.lower()}s/{policy.workload}"
    found = ClusterHook().get(path)
    what = f"container {policy.container!r} of {workload.kind} {policy.workload!r}"
    if found is None:
        return None, f"{workload.kind} {policy.workload!r} is not in {workload.namespace!r}"
    containers = found["spec"]["template"]["spec"]["containers"]
    named = next((one for one in containers if one["name"] == policy.container), None)
    if named is None:
        return None, f"there is no {what}"
    limit = ((named.get("resources") or {}).get("limits") or {}).get("memory")
    if limit is None:
        return None, f"{what} has no memory limit"
    return parse_quantity(limit), f"the limit of {what}"
