"""The run's page, rendered from what history holds: hostile text stays text."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from docrag_ops.core.change_record import ChangeRecord
from docrag_ops.core.changes import Decision
from docrag_ops.core.findings import Finding, NotJudged
from docrag_ops.core.performance.charts import Chart
from docrag_ops.core.results import RunResult
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks.report_records import ReportRecord
from docrag_ops.ui import run_page as page
from tests.core.making import change_record

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></details><h1>forged</h1>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
]


class Text(HTMLParser):
    """The tags and the visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def finding(verdict: Verdict = Verdict.CRITICAL, text: str = "nginx", **more: object) -> Finding:
    values = {"value": 3.0, "unit": "count", "limit": 0.0, "remedy": text, "runbook": text}
    return Finding(check="pod_restarts", subject=text, verdict=verdict, evidence=text, **{**values, **more})


def report_of(*findings: Finding, reason: str = "first run") -> ReportRecord:
    result = RunResult(
        environment="docrag-prod",
        entry="daily_health_check",
        run_id="manual__1",
        findings=findings,
        not_judged=(NotJudged(check="redis_hit_rate", subject="redis", reason=reason),),
    )
    return ReportRecord(recorded_at=AT, result=result)


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch):
    """The page of a run, as history would give it."""

    def rendered(
        report: ReportRecord | None,
        changes: list[ChangeRecord] | None = None,
        trend: list[float] | None = None,
        charts: list[Chart] | None = None,
    ):
        monkeypatch.setattr(page.ReportRecords, "find", lambda *_, **__: report)
        monkeypatch.setattr(page.ReportRecords, "trends", lambda *_, **__: {"pod_restarts": trend or []})
        monkeypatch.setattr(page.ChangeRecords, "of_run", lambda *_, **__: changes or [])
        monkeypatch.setattr(page.ChartRecords, "of_run", lambda *_, **__: charts or [])
        return page.run_page("daily_health_check", "manual__1")

    return rendered


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_literally(show, text):
    _, html = show(
        report_of(finding(text=text), finding(Verdict.OK, text), reason=text), [change_record(text)]
    )
    seen, plain = Text(html), Text(show(report_of(finding(), finding(Verdict.OK)), [change_record()])[1])
    assert text in seen.text
    assert (seen.tags, seen.attributes) == (plain.tags, plain.attributes)


def test_page_has_no_script_and_no_foreign_address(show):
    _, html = show(report_of(finding()), [change_record()])
    assert not {"script", "iframe", "link", "img", "form", "a"} & set(Text(html).tags)


def test_bad_findings_come_before_good_ones(show):
    _, html = show(report_of(finding(), finding(Verdict.OK)))
    assert html.index("What is not well") < html.index("What is well")


def test_number_over_past_runs_is_a_line(show):
    _, html = show(report_of(finding()), trend=[1, 5, 3])
    assert '<polyline points="2.0,20.0 60.0,2.0 118.0,11.0"/>' in html


def test_first_run_has_no_line(show):
    _, html = show(report_of(finding()), trend=[1])
    assert "<polyline" not in html


def chart(text: str = "/query") -> Chart:
    return Chart(
        kind="p95",
        title="p95",
        subject=text,
        unit="seconds",
        ends_at=AT,
        this_week=(0.5, None, 0.25),
        week_before=(0.0, 0.0, 0.5),
    )


def test_chart_draws_this_week_over_the_week_before_with_a_gap_for_what_is_not_known(show):
    _, html = show(report_of(finding()), charts=[chart()])
    assert '<polyline class="then" points="2.0,78.0 150.0,78.0 298.0,2.0"/>' in html
    assert '<polyline class="now" points="2.0,2.0"/><polyline class="now" points="298.0,40.0"/>' in html
    assert "/query: p95, up to 500 ms" in Text(html).text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_route_is_shown_literally(show, text):
    seen = Text(show(report_of(finding()), charts=[chart(text)])[1])
    plain = Text(show(report_of(finding()), charts=[chart()])[1])
    assert text in seen.text
    assert (seen.tags, seen.attributes) == (plain.tags, plain.attributes)


def test_applied_change_shows_who_decided_and_the_proof(show):
    text = Text(show(report_of(finding(Verdict.OK)), [change_record()])[1]).text
    assert "approved by alice" in text
    assert "used_bytes" in text


def test_rejected_change_says_by_whom_in_its_headline(show):
    _, html = show(report_of(finding(Verdict.OK)), [change_record(decision=Decision.REJECTED, applied=False)])
    assert "Nothing was changed: rejected by alice" in html


def test_plan_that_was_not_applied_is_shown_with_its_reasons_and_what_is_for_a_person(show):
    planned = change_record("because", decision=None, applied=False, dry_run=True)
    _, html = show(report_of(finding(Verdict.OK)), [planned])
    assert "this was a dry run" in html
    assert "<tr><td>not begun</td><td>delete because</td><td>because</td></tr>" in html
    assert "1 for a person to do</summary>" in html


def test_run_without_a_report_says_so(show):
    status, html = show(None)
    assert (status, "no report (yet)" in html) == (200, True)


def test_history_that_is_down_says_so(monkeypatch):
    from docrag_ops.core.errors import UnreachableError

    def down(*_: object, **__: object) -> None:
        raise UnreachableError("The history database <docrag_history> cannot be used")

    monkeypatch.setattr(page.ReportRecords, "find", down)
    status, html = page.run_page("daily_health_check", "manual__1")
    assert (status, "&lt;docrag_history&gt; cannot be used" in html) == (503, True)
