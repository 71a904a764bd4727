"""Alerts that fire, and whether any rule is evaluated: without one, silence says nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome, TooLittle

SUBJECT = "alerting rules"
"""All rules together: measured as long as one is loaded, so that the day on which they are gone is noticed."""
NONE = "no alerting rule is loaded into Prometheus"
NOT_SERVED = (
    "no alert is firing, and what answers the queries serves no rules (/api/v1/rules), so whether any is evaluated is "
    "not known"
)
NOT_EVALUATED_YET = "unknown"


@dataclass(frozen=True)
class AlertRule:
    """An alerting rule as Prometheus has it. `health` is ok, err, or unknown until it is first evaluated."""

    group: str
    name: str
    health: str
    last_error: str = ""

    @property
    def fails(self) -> bool:
        """Whether its last evaluation failed, so that it cannot fire."""
        return self.health not in ("ok", NOT_EVALUATED_YET)


def outcome(firing: Sequence[Measurement], rules: Sequence[AlertRule] | None) -> Outcome:
    """What fires, the rules that fail, and all rules together as 0. `rules` is None where they cannot be read.

    >>> outcome((), [])
    NotConfigured(reason='no alerting rule is loaded into Prometheus', subject='alerting rules')
    """
    if not rules:
        return (
            Measured(tuple(firing))
            if firing
            else NotConfigured(NOT_SERVED if rules is None else NONE, SUBJECT)
        )
    failing = {f"rule {rule.name} of the group {rule.group}": rule for rule in rules if rule.fails}
    problems = [
        Measurement(subject=subject, problem=f"it is not evaluated: {rule.last_error or rule.health}")
        for subject, rule in failing.items()
    ]
    if not firing and all(rule.health == NOT_EVALUATED_YET for rule in rules):
        return TooLittle("no alerting rule has been evaluated yet since they were loaded")
    together = Measurement(subject=SUBJECT, value=0, evidence=f"loaded: {len(rules):,}")
    return Measured((*firing, *problems, together))
