"""What was measured becomes findings."""

import math

import pytest

from docrag_ops.core.judging import EVIDENCE_BYTES, SUBJECT_BYTES, held_against, judge
from docrag_ops.core.measurements import Exempt, Measured, Measurement, NotConfigured, TooLittle, Unmeasured
from docrag_ops.core.verdicts import Verdict
from tests.core.making import NOW, check, history, judged, sample

HIGH = check(unit="ratio", warning=0.8, critical=0.9)
LOW = check(unit="ratio", below=True, warning=0.2, critical=0.1)
USUAL = check(
    reading="times_median", unit="times", below=True, warning=0.8, baseline={"days": 7, "minimum_days": 3}
)


@pytest.mark.parametrize(
    ("of", "value", "verdict"),
    [
        (HIGH, 0.8, Verdict.OK),
        (HIGH, 0.80001, Verdict.WARNING),
        (HIGH, 0.9, Verdict.WARNING),
        (HIGH, 0.90001, Verdict.CRITICAL),
        (LOW, 0.2, Verdict.OK),
        (LOW, 0.19999, Verdict.WARNING),
        (LOW, 0.1, Verdict.WARNING),
        (LOW, 0.09999, Verdict.CRITICAL),
        (check(warning=0), 1000, Verdict.WARNING),
        (check(critical=0), 1, Verdict.CRITICAL),
        (check(critical=0), 0, Verdict.OK),
    ],
)
def test_value_at_a_limit_is_within_it(of, value: float, verdict: Verdict):
    assert held_against(value, of.limits) is verdict


def verdicts(judgement) -> list[Verdict]:
    return [finding.verdict for finding in judgement.findings]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_unknown(value: float):
    for of in (HIGH, LOW):
        assert verdicts(judged(of, value)) == [Verdict.UNKNOWN]


def test_what_was_not_measured_is_unknown_with_its_reason():
    finding = judged(HIGH, Unmeasured("Redis at x does not answer")).findings[0]
    assert (finding.verdict, finding.subject, finding.evidence) == (
        Verdict.UNKNOWN,
        "all",
        "Redis at x does not answer",
    )


def test_nothing_to_look_at_is_unknown_unless_the_record_says_otherwise():
    assert verdicts(judged(HIGH, Measured(()))) == [Verdict.UNKNOWN]


def test_nothing_to_look_at_may_be_well():
    judgement = judged(check(empty="ok", empty_reason="no alert is firing"), Measured(()))
    assert [(one.verdict, one.evidence) for one in judgement.findings] == [(Verdict.OK, "no alert is firing")]


def test_nothing_to_look_at_may_be_left_unjudged():
    judgement = judged(check(empty="not_judged", empty_reason="not configured"), Measured(()))
    assert judgement.findings == ()
    assert [entry.reason for entry in judgement.not_judged] == ["not configured"]


@pytest.mark.parametrize("outcome", [NotConfigured("no replica"), Measured(())])
def test_what_was_measured_before_and_is_gone_is_unknown(outcome):
    judgement = judged(check(empty="not_judged", empty_reason="no replica"), outcome, sample(0))
    assert verdicts(judgement) == [Verdict.UNKNOWN]
    assert "no replica; but it was measured until 2026-06-30 09:00 UTC" in judgement.findings[0].evidence


@pytest.mark.parametrize("outcome", [TooLittle("at night"), Exempt("has no replicas"), NotConfigured("none")])
def test_what_does_not_apply_is_no_verdict(outcome):
    judgement = judged(HIGH, outcome)
    assert (judgement.findings, len(judgement.not_judged)) == ((), 1)


@pytest.mark.parametrize("outcome", [TooLittle("at night"), Exempt("the replica was given up")])
def test_what_does_not_apply_now_is_no_verdict_though_it_was_measured_before(outcome):
    assert judged(HIGH, outcome, sample(0)).findings == ()


def test_subject_with_a_past_that_is_gone_is_unknown():
    days = [sample(5000, days=days, subject="public.documents") for days in (1, 2, 3)]
    judgement = judged(USUAL, 10, *days, *[sample(10, days=days) for days in (1, 2, 3)])
    assert [(one.subject, one.verdict) for one in judgement.findings] == [
        ("public.documents", Verdict.UNKNOWN),
        ("x", Verdict.OK),
    ]


def test_subject_that_was_hardly_there_may_go():
    judgement = judged(
        USUAL, 10, *[sample(10, days=days) for days in (1, 2, 3)], sample(5, days=1, subject="y")
    )
    assert verdicts(judgement) == [Verdict.OK]


def test_pod_that_is_gone_is_no_news():
    judgement = judged(check(reading="increase", warning=0), 1, sample(1), sample(5, subject="an older pod"))
    assert verdicts(judgement) == [Verdict.OK]


def test_problem_of_one_subject_leaves_the_others_standing():
    pods = (Measurement(subject="a", problem="exec was refused"), Measurement(subject="b", value=0.5))
    judgement = judged(HIGH, Measured(pods))
    assert [(one.subject, one.verdict) for one in judgement.findings] == [("a", "unknown"), ("b", "ok")]


def test_unreadable_measurement_keeps_its_evidence():
    judgement = judged(HIGH, Measured((Measurement(subject="a", problem="no time", evidence="9 GB behind"),)))
    assert judgement.findings[0].evidence == "no time; 9 GB behind"


def test_bad_subjects_come_first_and_the_worst_of_them_first():
    values = {"fine": 0.1, "full": 0.85, "over": 0.99}
    measured = Measured(tuple(Measurement(subject=name, value=value) for name, value in values.items()))
    assert [one.subject for one in judged(HIGH, measured).findings] == ["over", "full", "fine"]


def test_good_subjects_are_summed_up_with_their_extreme():
    measured = Measured((Measurement(subject="a", value=0.5), Measurement(subject="b", value=0.7)))
    finding = judged(HIGH, measured).findings[0]
    assert (finding.subject, finding.value, finding.evidence) == ("2 subjects", 0.7, "highest: 70 % (b)")


def test_summary_that_tells_all_has_every_number():
    all_of_them = HIGH.model_copy(update={"tells_all": True})
    outcome = Measured(
        (
            Measurement(subject="a", value=0.5, evidence="5 of 10"),
            Measurement(subject="b", value=0.7, evidence="7 of 10"),
        )
    )
    [finding] = judged(all_of_them, outcome).findings
    assert (finding.value, finding.evidence) == (0.7, "a: 50 % (5 of 10); b: 70 % (7 of 10)")


def test_finding_says_which_limit_was_crossed():
    assert [judged(HIGH, value).findings[0].limit for value in (0.95, 0.85, 0.1)] == [0.9, 0.8, 0.8]


def test_bad_finding_has_remedy_and_runbook_and_a_good_one_has_not():
    bad, good = judged(HIGH, 0.95).findings[0], judged(HIGH, 0.1).findings[0]
    assert (bad.remedy, bad.runbook) == ("Mend it.", "runbook_disk_space")
    assert (good.remedy, good.runbook) == ("", "")


def test_same_reason_for_many_subjects_is_one_line():
    measured = Measured(tuple(Measurement(subject=f"t{n}", value=1) for n in range(8)))
    assert [entry.subject for entry in judged(USUAL, measured).not_judged] == [
        "t0, t1, t2, t3, t4 and 3 more"
    ]


def test_evidence_of_any_length_fits():
    finding = judged(HIGH, 0.95, evidence="ä\x00" * 5000).findings[0]
    assert len(finding.evidence.encode()) <= EVIDENCE_BYTES
    assert "\x00" not in finding.evidence


def test_name_of_any_length_fits_and_is_found_again_in_history():
    long, of = "pod\x00" + "x" * 5000, check(reading="increase", warning=0)
    first = judge(of, Measured((Measurement(subject=long, value=3),)), limits=of.limits, history={}, now=NOW)
    kept = first.samples[0][0].subject
    assert len(kept.encode()) <= SUBJECT_BYTES
    again = judge(
        of,
        Measured((Measurement(subject=long, value=3),)),
        limits=of.limits,
        history=history(sample(3, subject=kept)),
        now=NOW,
    )
    assert verdicts(again) == [Verdict.OK]
