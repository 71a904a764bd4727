"""Success metrics on a real Prometheus and a real PostgreSQL, held against numbers that were worked out by hand.

The past is that of known_past.py. Windows end at 9 June 00:00.

Requests of 7 days (from 2 June 00:00). 2 to 7 June are 144 hours of 3,600; the hour of the outage has half of that,
two hours of the gap nobody knows, and of the third again half: 140 x 3,600 + 2 x 1,800 = 507,600. 8 June has
24 x 30 = 720. Together 508,320. Failed: a quarter of two hours, 1,800, and one on 8 June.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from docrag_ops.core.environments import Environment
from docrag_ops.core.measurements import Measured, Measurement
from docrag_ops.core.service_level.spells import PlannedWindow
from docrag_ops.hooks.capacity_days import CapacityDays
from docrag_ops.hooks.history import HistoryHook, RunKey
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.metrics import MetricsHook
from docrag_ops.operators.asking import Asking, ask_all
from tests.databases import known_past
from tests.databases.known_past import NOW, june
from tests.sandbox import connections, processes
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
MIDNIGHT = june(9, 0, 4)  # the windows end at 00:00: four minutes are too few to look at
VALID, FAILED = 508_320, 1_801
NEAR = 2e-4  # increase() carries what it sees on to the edges of its window: one failure counts as 60/59
PLANNED = PlannedWindow(start=june(6, 3), end=june(6, 3, 20), reason="new disks", owner="storage team")
Found = dict[str, dict[str, Measurement]]


@pytest.fixture(scope="module")
def environment() -> Environment:
    environment = IncludeFolder().environment("docrag-prod")
    changes = {"window_days": (1, 7, 30), "budget_days": 7, "planned": (PLANNED,)}
    return environment.model_copy(update={"slo": environment.slo.model_copy(update=changes)})


@pytest.fixture(scope="module")
def past(servers: Settings) -> Iterator[Settings]:
    known_past.start(servers)
    yield servers
    processes.stop(servers, "prometheus")


@pytest.fixture(autouse=True)
def connected(past: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    known = connections.connections(past)
    for name in ("docrag_history", "docrag_prometheus"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(known[name]))


def ask(
    environment: Environment, area: str = "slo", *, now: datetime = MIDNIGHT, name: str = "by-hand"
) -> Found:
    """Every check's measurements by subject."""
    include = IncludeFolder()
    run = RunKey(environment=name, entry="daily_success_metrics", run_id="by hand")
    asking = Asking(environment=environment, include=include, run=run, now=now, task_instance=None)
    answers = ask_all(include.checks(area), asking)
    assert {check: one for check, one in answers.items() if not isinstance(one, Measured)} == {}
    return {check: {m.subject: m for m in one.measurements} for check, one in answers.items()}


@pytest.fixture(scope="module")
def found(past: Settings, environment: Environment) -> Found:
    with pytest.MonkeyPatch.context() as patch:
        known = connections.connections(past)
        for name in ("docrag_history", "docrag_prometheus"):
            patch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(known[name]))
        return ask(environment)


def test_availability_of_a_week(found: Found):
    measured = found["slo_availability"]["7 days"]
    assert measured.denominator == pytest.approx(VALID, rel=NEAR)
    assert measured.value == pytest.approx(1 - FAILED / VALID, rel=1e-6)  # 99.6457 %


def test_error_budget_of_a_week_is_overdrawn(found: Found):
    # At 99.9 % 508.32 of 508,320 requests may fail; 1,801 did: 3.543 times as many.
    assert found["slo_budget_left"]["7 days"].value == pytest.approx(1 - 1_801 / 508.32, rel=NEAR)


def test_one_failure_of_few_requests_is_not_judged(found: Found):
    # 720 requests; at 99.9 % one failure of fewer than 1,000 misses the target.
    measured = found["slo_availability"]["1 day"]
    assert measured.value is None
    assert measured.not_judged.startswith("low volume: 72")


def test_window_that_began_before_the_evidence_is_not_judged(found: Found):
    windows = [found[f"slo_{name}"]["30 days"] for name in ("availability", "downtime", "p95")]
    assert [(one.value, one.not_judged) for one in windows] == [(None, "needs 30 days, has 8")] * 3


def test_downtime_outside_the_planned_window(found: Found):
    # 30 minutes down, 03:00 to 03:20 planned: 10 minutes. Seven days may have 7 x 1,440 x 0.001 = 10.08.
    measured = found["slo_downtime"]["7 days"]
    assert (measured.numerator, measured.denominator) == (10, pytest.approx(10.08))
    assert measured.evidence.startswith(
        "10 minutes, 10.1 are allowed; down 2026-06-06 03:20 to 03:30 UTC; "
        "20 more were planned: new disks (storage team); "
    )
    assert found["slo_downtime"]["1 day"].value == 0


def test_pods_that_are_gone_are_down(environment: Environment):
    # 150 minutes, of which one hour has no sample of the probe at all.
    day = ask(environment, now=june(2, 0, 4), name="gone-pods")
    assert day["slo_downtime"]["1 day"].numerator == 150
    assert day["slo_data"]["1 day"].value == 1


def test_requests_without_a_status_are_not_taken_for_good_ones(environment: Environment):
    variables = {**environment.traffic.variables, "requests": 'job="old"'}
    traffic = environment.traffic.model_copy(update={"variables": variables})
    day = ask(environment.model_copy(update={"traffic": traffic}), name="no-status")
    assert "no requests with a label `status`" in day["slo_availability"]["7 days"].problem
    assert day["slo_burn"]["14.4 times over 1 h and 5 min"].problem


def test_gap_is_not_good_time(found: Found):
    # 150 of 10,080 minutes are dark: 98.51 % are known.
    evidence = found["slo_availability"]["7 days"].evidence
    assert "data for 98.5 % of the window; none from 2026-06-07 10:00 to 12:30 UTC" in evidence
    assert found["slo_data"]["1 day"].value == 1


def test_p95(found: Found):
    # The week: 501,120 usual requests and 7,200 of the incident. Up to 0.1 s 0.9 x 501,120 = 451,008; up to 0.5 s
    # 0.97 x 501,120 + 0.5 x 7,200 = 489,686.4. The 482,904th of 508,320 is (482,904 - 451,008) / 38,678.4 = 0.82465 of
    # the way from 0.1 to 0.5 s. The last day: (0.95 - 0.9) / 0.07 of it.
    seconds = {days: one.value for days, one in found["slo_p95"].items() if one.value}
    assert seconds == {
        "7 days": pytest.approx(0.1 + 0.4 * 0.82465, rel=1e-3),
        "1 day": pytest.approx(0.1 + 0.4 * 5 / 7, rel=1e-3),
    }


def test_worst_burn_of_the_day_of_the_incident(environment: Environment):
    # A quarter fails, 250 times what may. At 13:00 that is so over 1 h and 5 min: 250 / 14.4. At 14:00 1,800 failures:
    # of six hours (21,600) 83.3 times, / 6; of a day (86,400) 20.83, / 3; of three days (259,200) 6.94, / 1.
    burn = [one.value for one in ask(environment, now=june(5, 20, 20))["slo_burn"].values()]
    assert burn == pytest.approx([250 / 14.4, 83.33 / 6, 20.83 / 3, 6.944], rel=1e-3)


def test_worst_burn_of_a_quiet_day_is_not_judged_where_requests_are_too_few(environment: Environment):
    # 30 requests an hour: 14.4 times needs 69 in an hour. Until 01:00 the hour still holds busy minutes of 7 June.
    burn = list(ask(environment, now=NOW + timedelta(hours=6), name="later")["slo_burn"].values())
    assert burn[0].problem == "" == burn[1].problem
    assert "low volume" in burn[0].not_judged


def test_a_second_run_has_the_same_numbers_and_leaves_no_doubles(environment: Environment, found: Found):
    again = ask(environment)
    assert again["slo_availability"] == found["slo_availability"]
    assert again["slo_p95"] == found["slo_p95"]
    with HistoryHook().transaction() as connection:
        query = text(
            "SELECT count(*), count(DISTINCT hour_at) FROM service_hours WHERE environment = 'by-hand'"
        )
        rows, hours = connection.execute(query).one()
    assert rows == hours == 8 * 24 - 2  # two hours of the gap nobody knows anything of


def test_what_was_kept_outlives_prometheus(environment: Environment, found: Found, monkeypatch):
    """Prometheus answers, but has forgotten all: the windows are judged by what is kept."""
    monkeypatch.setattr(MetricsHook, "query_range", lambda *_, **__: [])
    assert ask(environment)["slo_availability"]["7 days"] == found["slo_availability"]["7 days"]


def test_figures_of_a_day(environment: Environment):
    """A point every five minutes, 288 a day; of 6 June six are missing (03:05 to 03:30), of 7 June thirty."""
    kept = ask(environment, "capacity", now=NOW)["capacity_kept"]
    assert kept["requests"].value == 1
    assert kept["cpu_used"].not_judged == "not configured: Prometheus has no such series"
    days = CapacityDays().figures("by-hand", "requests", since=june(5).date(), until=june(9).date())
    assert [one.count for one in days] == [288, 282, 258, 288, 4]
    assert [one.mean for one in days[:2]] == pytest.approx([1, 1], rel=1e-3)
    assert (days[3].p50, days[3].p95) == pytest.approx((0.5 / 60, 0.5 / 60), rel=1e-3)


def test_a_day_that_was_kept_before_its_end_is_taken_again(environment: Environment):
    def of_the_first() -> list[int]:
        kept = CapacityDays().figures("again", "requests", since=june(1).date(), until=june(1).date())
        return [one.count for one in kept]

    ask(environment, "capacity", now=june(1, 1, 2), name="again")
    assert of_the_first() == [12]
    for _ in range(2):
        ask(environment, "capacity", now=june(2, 23), name="again")
        assert of_the_first() == [258]  # of the time without pods there is nothing


def test_series_that_is_gone_is_unknown(environment: Environment):
    ask(environment, "capacity", now=june(8, 23), name="gone")
    gone = ask(environment, "capacity", now=june(20, 23), name="gone")["capacity_kept"]
    assert gone["requests"].problem == (
        "kept until 2026-06-08, and nothing of 2026-06-19: it is not there any more"
    )


def test_hours_of_a_run_before_their_end_are_read_again(environment: Environment):
    ask(environment, now=june(7, 10, 1), name="twice")
    later = ask(environment, name="twice")
    assert later["slo_data"]["1 day"].value == 1
    assert later["slo_downtime"]["7 days"].numerator == 10


def test_day_with_a_hole_is_no_whole_day_however_often_it_is_asked(environment: Environment):
    """On 7 June 30 of 288 points are missing; a run by hand after the scheduled one must not say that all is there."""
    shares = [
        ask(environment, "capacity", now=june(8, hour), name="hole")["capacity_kept"]["requests"].value
        for hour in (22, 23)
    ]
    assert shares == [pytest.approx(258 / 288)] * 2


def test_the_current_hour_counts_as_far_as_it_has_passed(environment: Environment):
    # At 03:25 the outage is 25 minutes old, 20 of them planned. Requests: 24 hours of 3,600, and none of 25 minutes.
    now = ask(environment, now=june(6, 3, 25), name="so-far")
    assert now["slo_downtime"]["1 day"].numerator == 5
    assert now["slo_availability"]["1 day"].denominator == pytest.approx(86_400, rel=NEAR)
    # At 04:30 half of the last hour's 3,600 requests are in, and half of the outage's hour: 25 hours in all.
    later = ask(environment, now=june(6, 4, 30), name="so-far")
    assert later["slo_downtime"]["1 day"].numerator == 10
    assert later["slo_availability"]["1 day"].denominator == pytest.approx(23.5 * 3_600 + 1_800, rel=NEAR)
