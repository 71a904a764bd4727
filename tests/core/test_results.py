"""The result contract: sizes, counts, and what a whole run comes to."""

import json

import pytest

from docrag_ops.core.findings import NotJudged
from docrag_ops.core.results import TASK_BYTES, AreaResult, RunResult, merge
from docrag_ops.core.verdicts import Verdict
from tests.core.making import finding


def size_bytes(result: AreaResult) -> int:
    return len(json.dumps(result.to_dict()).encode())


def area_of(*findings) -> AreaResult:
    return AreaResult(area="cluster", findings=findings)


def test_fifty_bad_subjects_are_all_shown():
    result = area_of(*[finding(subject=f"pod-{n}") for n in range(50)]).within_limits()
    assert [one.subject for one in result.findings] == [f"pod-{n}" for n in range(50)]


def test_more_than_fifty_bad_subjects_are_counted():
    result = area_of(*[finding(subject=f"pod-{n}") for n in range(5000)]).within_limits()
    assert len(result.findings) == 51
    assert result.findings[-1].subject == "4,950 more"
    assert "among them pod-50, pod-51" in result.findings[-1].evidence


def test_count_has_the_worst_verdict_of_what_it_counts():
    bad = [finding(subject=f"pod-{n}", verdict=Verdict.WARNING) for n in range(55)]
    result = area_of(*bad, finding(subject="last", verdict=Verdict.CRITICAL)).within_limits()
    assert (result.findings[-1].subject, result.findings[-1].verdict) == ("6 more", Verdict.CRITICAL)
    assert result.verdict is Verdict.CRITICAL


def test_each_check_has_fifty_of_its_own():
    many = [finding(name, subject=str(n)) for name in ("one", "two") for n in range(60)]
    assert len(area_of(*many).within_limits().findings) == 102


def test_good_findings_are_never_left_out():
    good = [finding(f"check_{n}", verdict=Verdict.OK) for n in range(80)]
    assert len(area_of(*good).within_limits().findings) == 80


@pytest.mark.parametrize("text", ["x", "\\", "ä", "🙂", '"'])
def test_task_hands_on_64_kib_at_most(text: str):
    many = [
        finding(f"check_{n}", subject=f"{text}{m}", evidence=text * 2000)
        for n in range(30)
        for m in range(60)
    ]
    assert size_bytes(area_of(*many).within_limits()) <= TASK_BYTES


def test_what_is_small_stays_as_it_is():
    result = area_of(finding(evidence="x" * 2000), finding("other", verdict=Verdict.OK))
    assert result.within_limits() == result


def test_area_without_findings_has_no_verdict():
    assert (
        AreaResult(area="qdrant", not_judged=(NotJudged(check="a", subject="all", reason="no"),)).verdict
        is None
    )


def test_run_without_findings_is_unknown():
    assert merge([], environment="prod", entry="daily", run_id="1").verdict is Verdict.UNKNOWN


def test_run_is_as_bad_as_its_worst_finding_and_shows_it_first():
    areas = [area_of(finding(verdict=Verdict.OK)), area_of(finding("worse", verdict=Verdict.CRITICAL))]
    result = merge(areas, environment="prod", entry="daily", run_id="1")
    assert (result.verdict, result.findings[0].check) == (Verdict.CRITICAL, "worse")


def test_result_is_the_contract_in_plain_json():
    result = merge([area_of(finding(value=1.5, limit=1))], environment="prod", entry="daily", run_id="1")
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert set(plain) == {"environment", "entry", "run_id", "verdict", "findings", "not_judged"}
    assert set(plain["findings"][0]) == {
        "check", "subject", "verdict", "value", "unit", "limit", "evidence", "remedy", "runbook",
    }  # fmt: skip
    assert RunResult.from_dict(plain) == result
