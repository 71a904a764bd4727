"""`measure: {volumes: NAME}`: the environment's volumes, by `df` in every ready pod that mounts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from docrag_ops.core.checks import Check
from docrag_ops.core.environments import ClusterSection, Volume
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Measured, Measurement
from docrag_ops.core.volumes import parse_df
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.operators.asking import Answers, Asking, answer_each

AT_ONCE = 4
UNITS = {"free_space": "-k", "free_inodes": "-i"}


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask in every pod; a pod that does not answer is a problem of its own, the others stand."""
    cluster, storage = asking.environment.cluster, asking.environment.storage
    if cluster is None or storage is None:
        raise CouldNotMeasureError("the environment has no section 'cluster' or no section 'storage'")
    hook = ClusterHook()
    targets = [target for volume in storage.volumes for target in _targets(hook, cluster, volume)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {
            check.asked: [pool.submit(target, UNITS[check.asked]) for target in targets] for check in checks
        }
        return answer_each(
            checks, lambda check: Measured(tuple(answer.result() for answer in asked[check.asked]))
        )


def _targets(
    hook: ClusterHook, cluster: ClusterSection, volume: Volume
) -> Iterator[Callable[[str], Measurement]]:
    workload = cluster.workloads[volume.workload]
    pods = hook.ready_pods(workload.kind, workload.namespace, volume.workload)
    for path in volume.paths:
        if not pods:
            yield partial(_no_pod, f"{workload.namespace}/{volume.workload}:{path}")
        for pod in pods:
            yield partial(_free, hook, pod, volume.container, path)


def _no_pod(subject: str, unit: str) -> Measurement:
    return Measurement(subject=subject, problem="the workload has no ready pod")


def _free(hook: ClusterHook, pod: PodName, container: str, path: str, unit: str) -> Measurement:
    subject = f"{pod.namespace}/{pod.name}:{path}"
    try:
        result = hook.run(pod, container, ["df", "-P", unit, path])
        if result.exit_code != 0:
            return Measurement(
                subject=subject, problem=f"df ended with {result.exit_code}: {result.stderr[:500]}"
            )
        space = parse_df(result.stdout)
    except (CouldNotMeasureError, ValueError) as error:
        return Measurement(subject=subject, problem=str(error))
    if space.mounted_on != path:
        return Measurement(
            subject=subject, problem=f"no volume is mounted here; the path belongs to {space.mounted_on}"
        )
    if space.total == 0 and unit == UNITS["free_space"]:
        return Measurement(subject=subject, problem="the file system does not say how large it is")
    if space.total == 0:
        return Measurement(subject=subject, value=1, evidence="this file system has no fixed number of them")
    return Measurement(
        subject=subject, value=space.free_ratio, evidence=f"{space.available:,} of {space.total:,} free"
    )
