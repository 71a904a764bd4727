"""Check tasks: they read, judge and hand on findings; they change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.core.checks import Check
    from docrag_ops.core.judging import Judgement
    from docrag_ops.core.measurements import Outcome
    from docrag_ops.core.results import AreaResult
    from docrag_ops.hooks.history import HistoryHook, SamplesByCheck
    from docrag_ops.operators.asking import Answers, Asking

MOST_SAMPLES = 200


class CheckOperator(BaseOperator):
    """Asks all questions of one area (`include/checks/AREA.yaml`) and judges the answers.

    Pushes the area's findings as its XCom, keeps them in history, then fails without a retry when one of them is
    `critical` or `unknown`. An area that the environment does not have is skipped, never green.

    :param area: the file's name without `.yaml`
    """

    ui_color = "#e8f4ea"

    def __init__(self, *, area: str, **options: Any) -> None:
        super().__init__(retries=0, **options)
        self.area = area

    def execute(self, context: Context) -> None:
        """Ask, judge, hand on, keep; then be as red as the findings are bad."""
        from docrag_ops.operators.asking import asking_of

        result = self.measure(asking_of(context))
        context["ti"].xcom_push(key="return_value", value=result.to_dict())
        self._speak(result)

    def measure(self, asking: Asking) -> AreaResult:
        """Ask all questions of the area, judge them and keep what they came to."""
        from docrag_ops.core.environments import AREA_SECTIONS
        from docrag_ops.core.findings import NotJudged
        from docrag_ops.core.own_findings import history_not_written
        from docrag_ops.core.results import AreaResult
        from docrag_ops.hooks.history import HistoryHook
        from docrag_ops.operators.asking import ask_all

        checks = asking.include.checks(self.area)
        if not asking.environment.has_area(self.area):
            section = AREA_SECTIONS[self.area]
            reason = f"not configured: the environment {asking.environment.name!r} has no section {section!r}"
            return AreaResult(
                area=self.area,
                not_judged=tuple(NotJudged(check=c.name, subject="all", reason=reason) for c in checks),
            )
        history = HistoryHook()
        answers = ask_all(checks, asking)
        samples, trouble = _earlier_samples(history, checks, answers, asking)
        judgements = _judge(checks, answers, samples, trouble, asking)
        findings = [finding for one in judgements.values() for finding in one.findings]
        trouble = trouble or _keep(history, self.area, checks, judgements, asking)
        if trouble:
            self.log.error("%s", trouble)
            findings.append(history_not_written(self.task_id, reason=trouble))
        return AreaResult(
            area=self.area,
            findings=tuple(findings),
            not_judged=tuple(entry for one in judgements.values() for entry in one.not_judged),
        ).within_limits()

    def _speak(self, result: AreaResult) -> None:
        """Log what was found; skip or fail when that is what it means."""
        import logging

        from docrag_ops.core.texts import one_line
        from docrag_ops.core.units import format_value

        levels = {"ok": logging.INFO, "warning": logging.WARNING}
        for finding in result.findings:
            self.log.log(
                levels.get(finding.verdict, logging.ERROR),
                "%s %s, %s: %s %s",
                finding.verdict.upper(),
                finding.check,
                one_line(finding.subject),
                format_value(finding.value, finding.unit) if finding.value is not None else "",
                one_line(finding.evidence),
            )
        for entry in result.not_judged:
            self.log.info(
                "not judged %s, %s: %s", entry.check, one_line(entry.subject), one_line(entry.reason)
            )
        if not result.findings:
            raise AirflowSkipException("; ".join(sorted({entry.reason for entry in result.not_judged})))
        bad = [finding for finding in result.findings if finding.verdict.fails]
        if bad:
            names = ", ".join(dict.fromkeys(f"{finding.check} is {finding.verdict}" for finding in bad))
            raise AirflowFailException(f"{len(bad)} findings fail this run: {names}")


def _earlier_samples(
    history: HistoryHook, checks: Sequence[Check], answers: Answers, asking: Asking
) -> tuple[SamplesByCheck, str]:
    """What earlier runs measured of what was measured now, or why it cannot be had."""
    from docrag_ops.core.errors import UnreachableError
    from docrag_ops.core.judging import subjects_of

    daily = {check.name: check.baseline.days for check in checks if check.baseline}
    latest = {
        check.name: subjects_of(answers[check.name])
        for check in checks
        if check.name not in daily and _looks_back(check, answers[check.name])
    }
    try:
        return history.samples(asking.run, latest=latest, daily=daily, now=asking.now), ""
    except UnreachableError as error:
        return {}, str(error)


def _looks_back(check: Check, outcome: Outcome) -> bool:
    """Whether judging this outcome asks what was measured before."""
    from docrag_ops.core.checks import Empty, Reading
    from docrag_ops.core.measurements import Measured

    measured = isinstance(outcome, Measured) and outcome.measurements
    return check.reading is not Reading.VALUE or (check.empty is Empty.NOT_JUDGED and not measured)


def _judge(
    checks: Sequence[Check], answers: Answers, samples: SamplesByCheck, trouble: str, asking: Asking
) -> dict[str, Judgement]:
    """Judge every check; without history, those that compare with it are not measured."""
    from docrag_ops.core.checks import Reading
    from docrag_ops.core.judging import judge
    from docrag_ops.core.measurements import Measured, Unmeasured

    judgements = {}
    for check in checks:
        outcome = answers.pop(check.name)  # of many thousand subjects, one check at a time is enough
        if trouble and check.reading is not Reading.VALUE and isinstance(outcome, Measured):
            outcome = Unmeasured(f"cannot be compared with earlier runs: {trouble}")
        judgements[check.name] = judge(
            check,
            outcome,
            limits=asking.environment.limits_of(check),
            history=samples.get(check.name, {}),
            now=asking.now,
        )
    return judgements


def _keep(
    history: HistoryHook, area: str, checks: Sequence[Check], judgements: dict[str, Judgement], asking: Asking
) -> str:
    """Keep findings and samples in history; why not, when it cannot be done."""
    from docrag_ops.core.errors import UnreachableError

    findings = [finding for one in judgements.values() for finding in one.findings]
    samples = [
        (check.name, str(check.limits.unit), measurement, verdict)
        for check in checks
        for measurement, verdict in _worth_keeping(check, judgements[check.name])
    ]
    try:
        history.record_area(asking.run, area, findings=findings, samples=samples, at=asking.now)
    except UnreachableError as error:
        return str(error)
    return ""


def _worth_keeping(check: Check, judgement: Judgement) -> Sequence[Any]:
    """All numbers of a check, but of a great many plain values only the bad and the extreme ones."""
    from docrag_ops.core.checks import Reading
    from docrag_ops.core.verdicts import Verdict

    samples = [sample for sample in judgement.samples if sample[0].is_a_number]
    if check.reading is not Reading.VALUE or len(samples) <= MOST_SAMPLES:
        return samples
    by_value = sorted(samples, key=lambda sample: sample[0].value or 0.0)
    extremes = (by_value[0], by_value[-1])
    return [*(sample for sample in samples if sample[1] is not Verdict.OK), *extremes]
