"""Reports: foreign text stays text, on its own line."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from jinja2 import UndefinedError

from docrag_ops.core.findings import NotJudged
from docrag_ops.core.rendering import counts, grouped, render
from docrag_ops.core.results import AreaResult, merge
from docrag_ops.core.texts import one_line, storable
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks.include import IncludeFolder
from tests.core.making import change_record, finding

AT = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
HOSTILE = [
    'it\'s "quoted" `x` \\',
    "two\nlines\r\nOK\n\nCRITICAL forged: line",
    "\x1b[2J\x1b[31mred",
    "<script>alert(1)</script>",
    "nul\x00 surrogate\udcff",
    "abc\u202eexe.txt",
    "{{ 7 * 7 }}{% for x in y %}",
    "$(reboot); `reboot` %s %d {0}",
]


def result_of(*findings, not_judged=()):
    area = AreaResult(area="a", findings=findings, not_judged=not_judged)
    return merge([area], environment="prod", entry="daily_health_check", run_id="manual__1")


def report(result, *changes) -> str:
    return render(
        IncludeFolder().text("reports/report.txt.j2"), result=result, at=AT, changes=changes, silences=()
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_name_is_shown_literally_on_one_line(text: str):
    plain = len(report(result_of(finding(subject="pod", evidence="why"))).splitlines())
    written = report(result_of(finding(subject=storable(text), evidence="why")))
    assert one_line(text) in written
    assert len(written.splitlines()) == plain


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_evidence_is_shown_literally(text: str):
    written = report(result_of(finding(evidence=storable(text))))
    assert " ".join(one_line(text).split()) in " ".join(written.split())
    assert written.isprintable() or set(written) - {"\n"} == {one for one in written if one.isprintable()}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_about_good_and_unjudged_things_is_shown_literally(text: str):
    entry = NotJudged(check="c", subject=storable(text), reason=storable(text))
    good = finding(subject=storable(text), verdict=Verdict.OK, evidence=storable(text))
    written = report(result_of(good, not_judged=[entry]))
    assert written.count(one_line(text)) == 4


def test_report_has_value_limit_evidence_remedy_and_runbook():
    bad = finding(value=0.95, limit=0.9, unit="ratio", evidence="why", remedy="Mend it.", runbook="runbook_x")
    written = report(result_of(bad))
    for part in ("CRITICAL", "95 % (limit 90 %)", "why", "Mend it.", "runbook_x"):
        assert part in written


def test_report_counts_every_verdict():
    everything = [finding(subject=one, verdict=one) for one in Verdict]
    assert counts(everything) == {"critical": 1, "unknown": 1, "warning": 1, "ok": 1}
    assert "1 critical, 1 unknown, 1 warnings, 1 ok, 0 not judged" in report(result_of(*everything))


def test_one_cause_is_told_once():
    lost = [
        finding(f"check_{n}", verdict=Verdict.UNKNOWN, evidence="Redis does not answer") for n in range(9)
    ]
    assert len(grouped(lost)) == 1
    assert report(result_of(*lost)).count("Redis does not answer") == 1


def test_every_critical_finding_stands_for_itself():
    assert len(grouped([finding(subject=str(n), evidence="same") for n in range(3)])) == 3


def test_template_that_names_what_it_is_not_given_is_an_error():
    with pytest.raises(UndefinedError):
        render("{{ nothing_of_this_name }}")


def test_name_that_is_a_template_is_not_one():
    assert "49" not in report(result_of(finding(subject="{{ 7 * 7 }}")))


def test_report_without_findings_is_unknown():
    assert report(replace(result_of(), findings=())).startswith("daily_health_check in prod: UNKNOWN")


def test_dry_run_shows_what_would_be_done_and_why():
    text = report(result_of(), change_record("because", decision=None, applied=False, dry_run=True))
    assert "Nothing was changed: this was a dry run" in text
    assert "\n   planned   delete because: because\n" in text


def test_applied_plan_shows_what_became_of_each_step_and_not_the_plan():
    text = report(result_of(), change_record("because"))
    assert "\n   done      delete because: because\n" in text
    assert "planned" not in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_step_is_shown_literally_on_one_line(text: str):
    plain = report(result_of(), change_record("plain", decision=None, applied=False))
    hostile = report(result_of(), change_record(text, decision=None, applied=False))
    assert f"   planned   delete {one_line(text)}: {one_line(text)}\n" in hostile
    assert hostile.count("\n") == plain.count("\n")
