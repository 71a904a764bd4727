"""What a source of measurements hands over to the judge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """A number about a subject, in the unit of the check that asked.

    A counter's share (hits of hits and misses) comes as `numerator` and `denominator`, both cumulative.
    `epoch` names the life of a counter (pod uid, server run id): when it changes, the counter began again at 0.
    `problem` says why this subject could not be measured; such a subject is `unknown`.
    `not_judged` says why the question does not apply to this subject, e.g. that there is nothing to compare with.
    """

    subject: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    epoch: str = ""
    evidence: str = ""
    problem: str = ""
    not_judged: str = ""

    @property
    def is_a_number(self) -> bool:
        """Whether a later run can compare itself with it; what is missing or NaN would hide the last real one."""
        numbers = [one for one in (self.value, self.numerator, self.denominator) if one is not None]
        return bool(numbers) and all(map(math.isfinite, numbers)) and not self.problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A measurement as an earlier run recorded it."""

    subject: str
    measured_at: datetime
    value: float | None
    numerator: float | None
    denominator: float | None
    epoch: str


@dataclass(frozen=True)
class Measured:
    """The question was answered: one measurement per subject looked at. None means nothing was found to look at."""

    measurements: tuple[Measurement, ...]


@dataclass(frozen=True)
class Unmeasured:
    """The question was not answered; `reason` says what happened, and where."""

    reason: str


@dataclass(frozen=True)
class NotConfigured:
    """The question does not apply to this environment.

    `subject` is what would be measured if it applied: was it measured before, then it is lost and not absent.
    Empty: whatever the check measured before.
    """

    reason: str
    subject: str = ""


@dataclass(frozen=True)
class TooLittle:
    """There is too little of what is measured to say anything now, e.g. traffic at night."""

    reason: str


@dataclass(frozen=True)
class Exempt:
    """The environment says that the question is not to be judged here, whatever was measured before."""

    reason: str


Outcome = Exempt | Measured | Unmeasured | NotConfigured | TooLittle
