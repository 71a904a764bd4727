"""`measure: {service_level: NAME}`: what the service was for its users over windows of days, from kept hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from docrag_ops.core.checks import Check
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome
from docrag_ops.core.service_level import measures
from docrag_ops.core.service_level.burn import Counts, parse_pairs, worst_burn
from docrag_ops.core.service_level.windows import Evidence, Window
from docrag_ops.hooks.service_hours import ServiceHours
from docrag_ops.operators.asking import Answers, Asking, answer_each
from docrag_ops.operators.reading_hours import HourReader

PAIRS = "slo/burn_rates.yaml"
LEAST_REQUESTS = 100


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Read what is not kept yet, then answer each question from all that is kept."""
    level = ServiceLevel(asking)
    return answer_each(checks, level.ask)


class ServiceLevel:
    """The evidence, read once, and the questions to it."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._slo = asking.environment.slo

    def ask(self, check: Check) -> Outcome:
        """Answer one question."""
        slo = self._slo
        if slo is None:
            return NotConfigured("not configured: the environment has no section 'slo'")
        target, least = slo.availability, check.minimum_volume or LEAST_REQUESTS
        questions: dict[str, Callable[[], Sequence[Measurement]]] = {
            "availability": lambda: self._each(lambda one: measures.availability(one, target=target)),
            "budget_left": lambda: [measures.budget_left(self._window(slo.budget_days), target=target)],
            "downtime": lambda: self._each(
                lambda one: measures.unplanned_downtime(one, target=target, planned=slo.planned)
            ),
            "p95": lambda: self._each(lambda one: measures.p95_seconds(one, least_requests=least)),
            "coverage": lambda: [measures.coverage(self._window(min(slo.window_days)))],
            "burn": lambda: self._burn(target),
        }
        return Measured(tuple(questions[check.asked]()))

    def _each(self, measure: Callable[[Window], Measurement]) -> list[Measurement]:
        days = self._slo.window_days if self._slo else ()
        return [measure(self._window(one)) for one in days]

    def _window(self, days: int) -> Window:
        least = self._slo.least_coverage if self._slo else 1
        return Window(days=days, evidence=self._evidence, least_coverage=least)

    def _burn(self, target: float) -> list[Measurement]:
        text = self._asking.include.text(PAIRS)
        counts, end = self._counts, int(self._asking.now.timestamp())
        pairs = parse_pairs(text, where=f"include/{PAIRS}")
        return [worst_burn(pair, counts, target=target, end=end) for pair in pairs]

    @cached_property
    def _reader(self) -> HourReader:
        if self._slo is None:
            raise ValueError("an environment without objectives has no hours to read")
        return HourReader(self._asking, self._slo)

    @cached_property
    def _evidence(self) -> Evidence:
        return self._reader.evidence(ServiceHours())

    @cached_property
    def _counts(self) -> Counts:
        return self._reader.counts()
