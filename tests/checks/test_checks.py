"""Every check has its fault, which trips it, and its healthy twin, which does not."""

from collections.abc import Callable

import pytest

from docrag_ops.core.checks import Check
from docrag_ops.core.findings import Finding
from docrag_ops.core.results import AreaResult
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks.include import IncludeFolder
from tests.checks.fixture import Fixture, all_fixtures, check_names, healthy_fixtures
from tests.counts import COUNTS

FIXTURES = all_fixtures()
HEALTHY = healthy_fixtures()
CHECKS = {(area, check.name): check for area, all_ in IncludeFolder().all_checks().items() for check in all_}
RunArea = Callable[[Fixture], AreaResult]


@pytest.fixture(params=FIXTURES, ids=lambda fixture: f"{fixture.area}/{fixture.path.stem}")
def fixture(request: pytest.FixtureRequest) -> Fixture:
    return request.param


def test_fixture_has_the_verdict_it_is_named_after(fixture: Fixture, run_area: RunArea):
    result = run_area(fixture)
    findings = {str(one.verdict): one for one in result.findings if one.check == fixture.check}
    if fixture.verdict == "not_judged":
        assert fixture.check in {entry.check for entry in result.not_judged}
        assert set(findings) <= {"ok"}
        return
    assert fixture.verdict in findings, findings
    assert fixture.verdict != "ok" or set(findings) == {"ok"}, "another subject is not"
    _is_as_expected(findings[fixture.verdict], fixture)
    others = {one.check for one in result.findings if one.verdict is not Verdict.OK} - {fixture.check}
    assert others == {*fixture.expect.get("also", ()), *fixture.expect.get("together", ())}


def _is_as_expected(finding: Finding, fixture: Fixture) -> None:
    if fixture.verdict == "ok":
        return
    assert finding.subject == fixture.expect["subject"]
    assert fixture.expect.get("evidence", "") in finding.evidence
    assert finding.evidence or finding.value is not None


@pytest.mark.parametrize("fixture", HEALTHY, ids=lambda fixture: fixture.area)
def test_healthy_platform_trips_nothing(fixture: Fixture, run_area: RunArea):
    result = run_area(fixture)
    assert [one for one in result.findings if one.verdict is not Verdict.OK] == []
    assert {one.check for one in result.findings} == set(fixture.expect["ok"])
    assert {one.check for one in result.not_judged} == set(fixture.expect.get("not_judged", ()))


def test_what_turns_bad_with_a_fault_is_named_by_its_record(fixture: Fixture):
    check: Check = CHECKS[fixture.area, fixture.check]
    also = fixture.expect.get("also", ())
    assert [name for name in also if not check.may_cause(name, fixture.area)] == []


@pytest.mark.parametrize(("area", "check"), sorted(CHECKS), ids=str)
def test_every_check_has_a_fault_and_a_healthy_twin(area: str, check: str):
    verdicts = {one.verdict for one in FIXTURES if one.check == check}
    verdicts |= {"ok" for one in HEALTHY if check in one.expect["ok"]}
    assert verdicts & {"warning", "unknown", "critical"}, "no fixture trips it"
    assert "ok" in verdicts, "no fixture shows it healthy"
    COUNTS["checks with a fault that trips them and a healthy twin that does not"] += 1


def test_every_fixture_says_where_it_comes_from():
    assert [
        one.path.name for one in FIXTURES + HEALTHY if not one.origin.startswith(("Recorded", "Constructed"))
    ] == []


def test_every_area_has_fixtures():
    assert {one.area for one in HEALTHY} == set(check_names())
