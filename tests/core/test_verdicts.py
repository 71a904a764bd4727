"""The four verdicts."""

from docrag_ops.core.verdicts import Verdict, worst


def test_order_is_ok_warning_unknown_critical():
    assert sorted(Verdict, key=lambda one: one.severity) == ["ok", "warning", "unknown", "critical"]


def test_unknown_and_critical_fail_a_run():
    assert [one for one in Verdict if one.fails] == ["unknown", "critical"]


def test_worst_of_several_is_the_most_severe():
    assert worst([Verdict.OK, Verdict.UNKNOWN, Verdict.WARNING]) is Verdict.UNKNOWN


def test_worst_of_nothing_is_unknown():
    assert worst([]) is Verdict.UNKNOWN
