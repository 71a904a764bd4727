"""`measure: {logs: NAME}`: what the environment's containers logged within the window, read once, in all their pods.

The run of each container before its last restart is read too. The templates of errors and warnings are kept in
history, so that a later run can say what is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from docrag_ops.core.checks import Check
from docrag_ops.core.environments import Environment
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.logs.review import Coverage, Review
from docrag_ops.core.logs.templates import Template
from docrag_ops.core.measurements import Measured, Measurement, Outcome, TooLittle
from docrag_ops.core.texts import one_line, shortened
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.log_templates import LogTemplates
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.hooks.pod_logs import NOT_KEPT, not_served
from docrag_ops.operators.asking import Answers, Asking, answer_each

SUBJECT = "all containers"
PER = 10_000
RUNS_COMPARED = 7
TOP_ERRORS, TOP_WARNINGS = 6, 2
EXAMPLE_BYTES = 160
MOST_DOUBTFUL = 0.001
DOUBTFUL = (
    "{:,} of {:,} entries hold the word of a level near their beginning, in a form that is not known, so they may be "
    "errors; have the service log its level as JSON, as level=... or right behind the time; one is: {}"
)
UNTOLD = "{:,} error lines are of too many kinds to be told apart: new ones may be among them"
NO_LEVELS = (
    "none of {:,} entries says its level in a form that is known, so errors cannot be told from the rest"
)


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Read all logs, keep their templates, then answer each question from what was read."""
    return answer_each(checks, LogReview(asking).ask)


class LogReview:
    """One reading of all logs; questions are answered from it."""

    def __init__(self, asking: Asking) -> None:
        self._templates, self._first_run, self._history_trouble = LogTemplates(), False, ""
        self.review = Review()
        self._know_earlier(asking)
        self.problems = read_all(ClusterHook(), asking.environment, self.review, now=asking.now)
        self._keep(asking)

    def ask(self, check: Check) -> Outcome:
        """Answer one question."""
        questions = {
            "lines": self._lines,
            "error_share": lambda: self._errors(1),
            "errors_per_10000": lambda: self._errors(PER),
            "new_errors": self._new_errors,
        }
        return questions[check.asked]()

    def _know_earlier(self, asking: Asking) -> None:
        try:
            earlier = self._templates.earlier(asking.run, runs=RUNS_COMPARED)
        except CouldNotMeasureError as error:
            self._history_trouble = str(error)
            return
        self._first_run = earlier is None
        self.review.miner.know(earlier or ())

    def _keep(self, asking: Asking) -> None:
        try:
            self._templates.record(asking.run, self.review, at=asking.now)
        except CouldNotMeasureError as error:
            self._history_trouble = self._history_trouble or str(error)

    def _lines(self) -> Outcome:
        """All lines; what could not be read is a problem of its own, and so is a log without any line."""
        review = self.review
        value = Measurement(
            subject=SUBJECT,
            value=review.lines,
            evidence=_lines(review),
            problem="" if review.lines else "there is no line at all, which no service at work would leave",
        )
        return Measured((value, *self.problems))

    def _errors(self, per: int) -> Outcome:
        review = self.review
        if not review.entries:
            raise CouldNotMeasureError("there is no line at all")
        if not review.says_levels:
            return TooLittle(NO_LEVELS.format(review.entries))
        self._require_known_levels()
        value = review.errors / review.entries * per
        return Measured((Measurement(subject=SUBJECT, value=value, evidence=_top(review)),))

    def _require_known_levels(self) -> None:
        """Refuse to count errors while a good many entries may be some that are not known as such."""
        review = self.review
        if review.doubtful > review.entries * MOST_DOUBTFUL:
            raise CouldNotMeasureError(
                DOUBTFUL.format(review.doubtful, review.entries, one_line(review.doubtful_example))
            )

    def _new_errors(self) -> Outcome:
        """One subject per new template of an error, its value how often it was written."""
        if self._history_trouble:
            raise CouldNotMeasureError(f"cannot be compared with earlier runs: {self._history_trouble}")
        if self.review.entries and not self.review.says_levels:
            return TooLittle(NO_LEVELS.format(self.review.entries))
        self._require_known_levels()
        if self._first_run:
            return TooLittle("first run: there are no templates to compare with")
        seen = self.review.miner.seen()
        new = [one for one in seen if not one.known]
        errors = [
            Measurement(subject=one.text, value=one.count, evidence=_example(one))
            for one in new
            if one.level.is_error
        ]
        warnings = "; ".join(f"{one.count:,}x {one.text}" for one in new if not one.level.is_error)
        kinds = sum(one.level.is_error for one in seen)
        evidence = f"{kinds:,} kinds of errors, {kinds - len(errors):,} of them known"
        if self.review.miner.beyond:
            evidence += f"; {self.review.miner.beyond:,} lines are of too many kinds to be told apart"
        if warnings:
            evidence += f"; new warnings: {warnings}"
        before = Measurement(subject="errors seen before", value=0, evidence=evidence, problem=self._untold())
        return Measured((*errors, before))

    def _untold(self) -> str:
        """Why a new error may be among what was read and not be told of; empty when none can be."""
        beyond = self.review.miner.beyond_errors
        return UNTOLD.format(beyond) if beyond else ""


def read_all(
    hook: ClusterHook, environment: Environment, review: Review, *, now: datetime
) -> list[Measurement]:
    """Read every container's log, the previous run first; a problem for each that cannot be read to its end.

    What the kubelet has dropped of a previous run (of two dead containers it keeps one) is not judged, nor is what it
    has rotated away: it serves the newest file of a log only (kubernetes/kubernetes#59902).
    """
    if environment.cluster is None or environment.logs is None:
        raise CouldNotMeasureError("the environment has no section 'cluster' or no section 'logs'")
    problems: list[Measurement] = []
    for logged in environment.logs.containers:
        workload = environment.cluster.workloads[logged.workload]
        pods = hook.pods_of(workload.kind, workload.namespace, logged.workload)
        if not pods:
            subject = f"{workload.namespace}/{logged.workload}"
            problems.append(Measurement(subject=subject, problem="the workload has no pod"))
        for pod, _ in pods:
            problems += _read_pod(hook, pod, logged.container, environment.logs.window_hours, review, now=now)
    return problems


def _read_pod(
    hook: ClusterHook, pod: PodName, container: str, hours: int, review: Review, *, now: datetime
) -> list[Measurement]:
    problems = []
    for previous in (True, False):
        subject = f"{pod.namespace}/{pod.name}{' (previous run)' if previous else ''}"
        pieces = hook.stream_logs(pod, container, since_seconds=hours * 3600, previous=previous)
        try:
            read = review.read(subject, pieces)
        except CouldNotMeasureError as error:
            problems.append(Measurement(subject=subject, problem=str(error)))
            continue
        if previous and read.unreadable and not read.lines:
            problems.append(Measurement(subject=subject, not_judged=NOT_KEPT.format(read.complaint)))
        elif read.unreadable:
            said = f"{read.unreadable:,} lines are no log but the kubelet's own words: {read.complaint!r}"
            problems.append(Measurement(subject=subject, problem=said))
        elif not previous and (
            said := not_served(read.first_at, read.size_bytes, since=now - timedelta(hours=hours))
        ):
            problems.append(Measurement(subject=subject, not_judged=said))
    return problems


def _top(review: Review) -> str:
    """All lines by level, then the most frequent errors and warnings with the newest time, pod and line of each."""
    seen = review.miner.seen()
    errors = [one for one in seen if one.level.is_error]
    errors.sort(key=lambda one: -one.count)
    warnings = [one for one in seen if not one.level.is_error]
    said = (
        f"{review.errors:,} errors of {len(errors):,} kinds in {review.entries:,} entries; {_lines(review)}"
    )
    top = (*errors[:TOP_ERRORS], *warnings[:TOP_WARNINGS])
    return "; ".join((said, *(f"{one.count:,}x {one.level}: {_kind(one)} ({_example(one)})" for one in top)))


def _lines(review: Review) -> str:
    return f"lines: {review.levels()}; {_span(review.coverage)}"


def _kind(template: Template) -> str:
    return shortened(template.text, size_bytes=80)


def _example(template: Template) -> str:
    line = shortened(one_line(template.example), size_bytes=EXAMPLE_BYTES)
    return f"last {template.last_at[:19]}Z in {template.pod}: {line}"


def _span(coverage: Sequence[Coverage]) -> str:
    read = [one for one in coverage if one.lines]
    if not read:
        return "nothing read"
    first, last = min(one.first_at for one in read), max(one.last_at for one in read)
    return f"{len(read):,} logs, from {first[:19]}Z to {last[:19]}Z"
