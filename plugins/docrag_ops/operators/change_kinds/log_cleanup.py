"""Change kind `log_cleanup`: deletes and compresses finished log rotations in every pod of a workload.

What may be touched, and which rule protects the rest, is in `core/logs/cleanup.py`; the policy is the environment's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.errors import ChangeError, CouldNotMeasureError
from docrag_ops.core.logs import cleanup_plan
from docrag_ops.core.logs.cleanup import Action, CleanupPolicy, Decision, Looks, decide
from docrag_ops.core.logs.files import Kind, LogFile, shown_name
from docrag_ops.core.records import parse_record
from docrag_ops.core.units import Unit, format_value
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.log_files import PodFiles
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.operators.asking import Asking

AT_ONCE = 4
READS, CHANGES = "docrag_kubernetes", "docrag_kubernetes_change"


def policy_of(asking: Asking) -> CleanupPolicy:
    """The environment's policy.

    :raises DefinitionError: when there is none, or it is wrong.
    """
    name = asking.environment.name
    return parse_record(
        CleanupPolicy,
        asking.environment.change(cleanup_plan.NAME).policy,
        what=f"changes.{cleanup_plan.NAME}.policy of environment {name!r}",
        where=f"include/environments/{name}.yaml",
    )


def pods_of(asking: Asking, policy: CleanupPolicy, hook: ClusterHook) -> list[tuple[PodName, bool]]:
    """Every pod of the policy's workload, each with whether it is ready.

    :raises CouldNotMeasureError: when there is none.
    """
    cluster = asking.environment.cluster
    if cluster is None or policy.workload not in cluster.workloads:
        raise CouldNotMeasureError(
            f"the environment has no workload {policy.workload!r} under cluster.workloads"
        )
    workload = cluster.workloads[policy.workload]
    pods = hook.pods_of(workload.kind, workload.namespace, policy.workload)
    if not pods:
        raise CouldNotMeasureError(
            f"{workload.kind} {policy.workload!r} in {workload.namespace!r} has no pod"
        )
    return pods


class Change:
    """See `operators/changes.py` for what each method is asked."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._policy = policy_of(asking)

    def plan(self) -> Plan:
        """Look twice in every pod, and decide about every file. A pod that cannot be seen is left alone, and said."""
        hook = ClusterHook(READS)
        pods = pods_of(self._asking, self._policy, hook)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            seen = dict(zip(pods, pool.map(lambda pod: self._see(hook, *pod), pods), strict=True))
        decided: dict[str, list[Decision]] = {}
        troubles: list[tuple[str, str]] = []
        for (pod, _), (looks, trouble) in seen.items():
            if trouble:
                troubles.append((_target(pod), trouble))
            if looks:
                decided[_target(pod)] = decide(looks, self._policy, now=self._asking.now)
        if not decided:
            raise CouldNotMeasureError("; ".join(f"{target}: {trouble}" for target, trouble in troubles))
        return cleanup_plan.plan_of(self._asking.environment.name, self._policy, decided, troubles)

    def _see(self, hook: ClusterHook, pod: PodName, ready: bool) -> tuple[Looks | None, str]:
        """What two looks saw in a pod, and what could not be seen."""
        if not ready:
            return None, "unknown: the pod is not ready, nothing is done there"
        files = PodFiles(hook, pod, self._policy.container)
        try:
            first, began = files.list(self._policy.roots), time.monotonic()
            open_files, trouble = files.open_files()
            can_compress, lacking = _can_compress(files)
            time.sleep(max(0.0, self._policy.second_look_seconds - (time.monotonic() - began)))
            second = files.list(self._policy.roots)
        except CouldNotMeasureError as error:
            return None, f"unknown: {error}"
        unseen = f"not all open files can be seen ({trouble}): names and stillness decide" if trouble else ""
        looks = Looks(first=first, second=second, open_files=open_files, can_compress=can_compress)
        return looks, "; ".join(part for part in (unseen, lacking) if part)

    def measure(self, plan: Plan) -> dict[str, float]:
        """Bytes used in each pod of the plan, and those of the planned files."""
        hook = ClusterHook(READS)
        listed = {target: self._files(hook, target).list(self._policy.roots) for target in plan.targets}
        return cleanup_plan.numbers(plan, listed)

    def look(self, step: Step) -> Mapping[str, str] | None:
        """Size, time and inode of the step's file now."""
        file = self._files(ClusterHook(READS), step.target).look(str(step.details["path"]))
        return file.fingerprint() if file else None

    def apply(self, step: Step) -> str:
        """Delete or compress exactly this file."""
        file = _planned_file(step)
        files = self._files(ClusterHook(CHANGES), step.target)
        if step.action == Action.DELETE:
            files.delete(file)
            return f"deleted, {format_value(file.size_bytes, Unit.BYTES)}"
        if step.action != Action.COMPRESS:
            raise ChangeError(f"Action {step.action!r} is none of: {', '.join(Action)}")
        archive = files.compress(file)
        before, after = (format_value(one.size_bytes, Unit.BYTES) for one in (file, archive))
        return f"compressed from {before} to {after}, tested before the original was removed"

    def was_done(self, step: Step) -> bool:
        """The planned file is gone; of a compression a whole archive has taken its place."""
        path = str(step.details["path"])
        files = self._files(ClusterHook(CHANGES), step.target)
        if files.look(path) is not None:
            return False
        return step.action == Action.DELETE or files.is_whole_archive(path + ".gz")

    def improved(self, plan: Plan, before: Mapping[str, float], after: Mapping[str, float]) -> str:
        """Less space is taken by the planned files, in every pod of the plan."""
        return cleanup_plan.not_smaller(plan, before, after)

    def undo(self, plan: Plan) -> str:
        """There is nothing to take back: what was done is what policy asks for, and cost nobody a line."""
        return f"Nothing was undone: {plan.undo}"

    def _files(self, hook: ClusterHook, target: str) -> PodFiles:
        namespace, _, name = target.partition("/")
        return PodFiles(hook, PodName(namespace, name), self._policy.container)


def _target(pod: PodName) -> str:
    return f"{pod.namespace}/{pod.name}"


def _can_compress(files: PodFiles) -> tuple[bool, str]:
    try:
        files.require_gzip()
    except CouldNotMeasureError as error:
        return False, f"nothing is compressed: {error}"
    return True, ""


def _planned_file(step: Step) -> LogFile:
    """The file as the plan saw it."""
    path, seen = str(step.details["path"]), step.fingerprint
    missing = {"device", "inode", "size", "mtime_ns"} - set(seen)
    if missing:
        raise ChangeError(f"The plan does not say {', '.join(sorted(missing))} of {shown_name(path)}")
    return LogFile(
        path=path,
        kind=Kind.FILE,
        device=int(seen["device"]),
        inode=int(seen["inode"]),
        links=1,
        size_bytes=int(seen["size"]),
        used_bytes=0,
        mtime_ns=int(seen["mtime_ns"]),
    )
