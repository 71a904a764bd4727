"""`measure: {access: NAME}`: failed authentications and rate limits, from the logs of all pods of the environment's
containers, read once; the run of each container before its last restart is read too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from docrag_ops.core.checks import Check
from docrag_ops.core.environments import AccessSection, ClusterSection, LoggedContainer
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.logs.access import MOST_SOURCES, OTHERS, UNKNOWN_SOURCE, AccessCounts, AccessReader
from docrag_ops.core.logs.access_signs import Signs, failures, limits
from docrag_ops.core.measurements import Measured, Measurement, Outcome
from docrag_ops.core.texts import one_line
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.hooks.pod_logs import NOT_KEPT, not_served
from docrag_ops.operators.asking import Answers, Asking, answer_each

SUBJECT = "all containers"
READ_SECONDS = 480.0  # for all logs together, within the time limit of a check's task
TOP = 10
NOT_ONE_ADDRESS = {
    UNKNOWN_SOURCE: "the lines of {:,} failures give no address; access_failures counts them",
    OTHERS: "{:,} failures came after the first "
    f"{MOST_SOURCES:,} addresses of a log, and are not told apart; access_failures counts them",
}


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Read all logs, then answer each question from what was read."""
    section, cluster = asking.environment.access, asking.environment.cluster
    if section is None or cluster is None:
        raise CouldNotMeasureError("the environment has no section 'cluster' or no section 'access'")
    logs = _Logs(section, cluster, now=asking.now)
    questions = {
        "lines": logs.lines,
        "failures": logs.failures,
        "source_failures": logs.source_failures,
        "limited": logs.limited,
    }
    return answer_each(checks, lambda check: questions[check.asked]())


class _Logs:
    """One reading of all logs."""

    def __init__(self, section: AccessSection, cluster: ClusterSection, *, now: datetime) -> None:
        self._section = section
        self._hook = ClusterHook()
        self._reader = AccessReader(section.failed_words)
        self._since = now - timedelta(hours=section.window_hours)
        self._end = time.monotonic() + READ_SECONDS
        self.counts: list[tuple[str, AccessCounts]] = []
        self.problems: list[Measurement] = []
        for container in section.containers:
            self._read(container, cluster)

    def lines(self) -> Outcome:
        """All lines; a pod whose log cannot be read, or has no line, is a problem of its own."""
        total = sum(one.lines for _, one in self.counts)
        problem = "" if total else "there is no line at all, which is not the same as no failure"
        value = Measurement(subject=SUBJECT, value=total, evidence=self._span(), problem=problem)
        return Measured((value, *self.problems))

    def failures(self) -> Outcome:
        """How many authentications failed, with the sources of most of them."""
        return self._total(failures(self.counts), 401)

    def limited(self) -> Outcome:
        """How many requests were refused by a rate limit, with the sources of most of them."""
        notes = []
        if delayed := sum(one.not_refused for _, one in self.counts):
            notes.append(f"{delayed:,} delayed only, or in a dry run")
        if refused := sum(one.answers[503].total() for _, one in self.counts):
            notes.append(
                f"{refused:,} answers 503, nginx' default for a limit, and for a service that is down"
            )
        return self._total(limits(self.counts), 429, *notes)

    def source_failures(self) -> Outcome:
        """Failures by address, those of the worst ones, and what has none; 0 when there is no failure at all."""
        self._require_lines()
        found = failures(self.counts)
        worst = [
            Measurement(subject=source, value=count, evidence=self._example(found))
            for source, count in found.addresses.most_common(TOP)
        ]
        rest = [
            Measurement(subject=name, not_judged=NOT_ONE_ADDRESS[name].format(count))
            for name, count in found.without_address.items()
        ]
        return Measured((*worst, *rest) or (Measurement(subject="every source", value=0),))

    def _total(self, found: Signs, status: int, *notes: str) -> Outcome:
        self._require_lines()
        answered = sum(one.answers[status].total() for _, one in self.counts)
        said = [f"{found.total:,} {found.by}", f"{answered:,} answers {status} in access logs", *notes]
        if found.sources:
            named = "1 source" if len(found.sources) == 1 else f"{len(found.sources):,} sources"
            said.append(f"{named}: {_top(found)}")
        said += [example] if (example := self._example(found)) else []
        evidence = "; ".join((*said, self._span()))
        return Measured((Measurement(subject=SUBJECT, value=found.total, evidence=evidence),))

    def _require_lines(self) -> None:
        if not any(one.lines for _, one in self.counts):
            raise CouldNotMeasureError("there is no line at all, which is not the same as no failure")

    def _example(self, found: Signs) -> str:
        examples = [one.example for _, one in self.counts if one.example]
        return f"such as: {one_line(examples[-1])}" if examples and found.by == "messages" else ""

    def _span(self) -> str:
        read = [one for _, one in self.counts if one.lines]
        if not read:
            return "nothing read"
        first, last = min(one.first_at for one in read), max(one.last_at for one in read)
        return (
            f"{sum(one.lines for one in read):,} lines of {len(read):,} logs, {first[:19]}Z to {last[:19]}Z"
        )

    def _read(self, logged: LoggedContainer, cluster: ClusterSection) -> None:
        workload = cluster.workloads[logged.workload]
        name = f"{workload.namespace}/{logged.workload}"
        try:
            pods = self._hook.pods_of(workload.kind, workload.namespace, logged.workload)
        except CouldNotMeasureError as error:
            self.problems.append(Measurement(subject=name, problem=str(error)))
            return
        if not pods:
            self.problems.append(Measurement(subject=name, problem="the workload has no pod"))
        for pod, ready in pods:
            self._read_pod(pod, logged, ready=ready)

    def _read_pod(self, pod: PodName, logged: LoggedContainer, *, ready: bool) -> None:
        for previous in (True, False):
            subject = f"{pod.namespace}/{pod.name}{' (previous run)' if previous else ''}"
            counts = AccessCounts()
            self.counts.append((f"{logged.workload}/{logged.container}", counts))
            pieces = self._hook.stream_logs(
                pod,
                logged.container,
                since_seconds=self._section.window_hours * 3600,
                previous=previous,
                seconds=max(1.0, self._end - time.monotonic()),
            )
            try:
                self._reader.read(pieces, counts)
            except CouldNotMeasureError as error:
                self.problems.append(Measurement(subject=subject, problem=str(error)))
                continue
            if previous and counts.complaint and not counts.lines:
                self.problems.append(
                    Measurement(subject=subject, not_judged=NOT_KEPT.format(counts.complaint))
                )
            elif counts.complaint:
                said = f"not a log but the kubelet's own words: {counts.complaint!r}"
                self.problems.append(Measurement(subject=subject, problem=said))
            elif ready and not previous and not counts.lines:
                said = (
                    f"a ready pod without a line in {self._section.window_hours} h, which is not 0 failures"
                )
                self.problems.append(Measurement(subject=subject, problem=said))
            elif not previous and (said := not_served(counts.first_at, counts.size_bytes, since=self._since)):
                self.problems.append(Measurement(subject=subject, not_judged=said))


def _top(found: Signs) -> str:
    named = ", ".join(f"{source} {count:,}" for source, count in found.sources.most_common(TOP))
    more = len(found.sources) - TOP
    return f"{named}, and {more:,} more" if more > 0 else named
