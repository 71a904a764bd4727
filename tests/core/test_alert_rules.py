"""Alerts that fire, and rules that cannot."""

import pytest

from docrag_ops.core.alert_rules import SUBJECT, AlertRule, outcome
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, TooLittle

FIRES = Measurement(subject="alertname=DiskFillsUp", value=1)
GOOD = AlertRule("disks", "DiskFillsUp", "ok")
FAILS = AlertRule("disks", "DiskIsFull", "err", "no such label")
NEW = AlertRule("disks", "DiskIsNew", "unknown")


def subjects(found: object) -> list[str]:
    assert isinstance(found, Measured)
    return [one.subject for one in found.measurements]


def test_silence_with_rules_is_measured():
    assert outcome((), [GOOD, NEW]) == Measured(
        (Measurement(subject=SUBJECT, value=0, evidence="loaded: 2"),)
    )


@pytest.mark.parametrize("rules", [[], None], ids=["none loaded", "cannot be read"])
def test_silence_without_rules_says_nothing_(rules: list[AlertRule] | None):
    found = outcome((), rules)
    assert isinstance(found, NotConfigured)
    assert found.subject == SUBJECT


def test_silence_says_nothing_before_the_first_evaluation():
    assert isinstance(outcome((), [NEW]), TooLittle)


def test_alert_that_fires_is_told_whatever_the_rules_are_like():
    assert all(subjects(outcome([FIRES], rules))[0] == FIRES.subject for rules in (None, [], [NEW], [FAILS]))


def test_rule_that_fails_is_named_once_though_there_are_two_of_its_name():
    assert subjects(outcome((), [FAILS, FAILS, GOOD])) == ["rule DiskIsFull of the group disks", SUBJECT]


def test_rule_that_fails_has_its_error():
    found = outcome((), [FAILS])
    assert isinstance(found, Measured)
    assert found.measurements[0].problem == "it is not evaluated: no such label"
