"""`measure: {log_files: NAME}`: log files by pod, where the environment's log_cleanup looks after them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.logs.cleanup_plan import NAME
from docrag_ops.core.logs.files import Kind, shown_name, used_bytes
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome
from docrag_ops.core.units import Unit, format_value
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.log_files import PodFiles
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.operators.asking import Answers, Asking, answer_each
from docrag_ops.operators.change_kinds.log_cleanup import AT_ONCE, pods_of, policy_of

LARGEST = 5


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question."""
    return answer_each(checks, lambda check: {"used": _used}[check.asked](asking))


def _used(asking: Asking) -> Outcome:
    """What the files below the policy's roots use in each pod; the largest are the evidence."""
    if NAME not in asking.environment.changes:
        return NotConfigured(f"not configured: the environment has no key 'changes.{NAME}'")
    policy, hook = policy_of(asking), ClusterHook()

    def measure(pod: PodName) -> Measurement:
        subject = f"{pod.namespace}/{pod.name}"
        try:
            files = PodFiles(hook, pod, policy.container).list(policy.roots)
        except CouldNotMeasureError as error:
            return Measurement(subject=subject, problem=str(error))
        count = sum(file.kind is Kind.FILE for file in files)
        largest = sorted(files, key=lambda file: -file.used_bytes)[:LARGEST]
        named = ", ".join(
            f"{shown_name(one.path)} {format_value(one.used_bytes, Unit.BYTES)}" for one in largest
        )
        evidence = f"{count:,} files; largest: {named}"
        return Measurement(subject=subject, value=used_bytes(files), evidence=evidence)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Measured(tuple(pool.map(measure, [pod for pod, _ in pods_of(asking, policy, hook)])))
