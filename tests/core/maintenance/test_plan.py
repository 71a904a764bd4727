"""What becomes of a survey: order, amounts, and what is left alone."""

from datetime import timedelta
from typing import Any

import pytest

from docrag_ops.core.changes import Plan
from docrag_ops.core.maintenance.bloat import MEASURED, Bloat
from docrag_ops.core.maintenance.facts import Part
from docrag_ops.core.maintenance.leftovers import why_kept
from docrag_ops.core.maintenance.plan import Action, plan_of
from docrag_ops.core.maintenance.policy import MaintenancePolicy
from docrag_ops.core.maintenance.proof import not_better
from docrag_ops.core.maintenance.survey import Survey
from tests.core.maintenance.making import CUTOFF, index, invalid, part, seen, survey, table

BLOATED = {"2": Bloat(0.6, 200e6, MEASURED)}


def plan(found: Survey) -> Plan:
    return plan_of("docrag-prod", "PostgreSQL database docrag", found, MaintenancePolicy())


def actions(found: Survey) -> list[str]:
    return [step.action for step in plan(found).steps]


def test_nothing_to_do_says_the_numbers():
    made = plan(survey(retention=[seen(part())]))
    assert (made.steps, made.unknown) == ((), ())
    assert made.summary == (
        "Nothing asks for maintenance. 1 tables, at most 0 % dead rows, oldest row 1,000 transactions; bloat known of "
        "0 of 0 indexes, at most 0 % (limit 40 % and 95.4 MiB); public.audit_logs has 0 rows older than 30 days."
    )


def test_deletes_come_first_then_vacuum_then_leftovers_then_rebuilds():
    found = survey(
        retention=[seen(part(eligible=50_000))],
        indexes=[index()],
        bloat=BLOATED,
        invalid=[invalid(twin="audit_logs_pkey")],
    )
    assert actions(found) == [Action.DELETE, Action.VACUUM, Action.DROP_LEFTOVER, Action.REBUILD]
    assert dict(plan(found).amounts) == {
        "rows": 50_000,
        "share": 0.5,
        "partitions": 0,
        "leftovers": 1,
        "rebuilt_bytes": 200e6,
    }


def test_index_that_the_deletes_will_bloat_is_looked_at_again():
    found = survey(
        retention=[seen(part(eligible=50_000))], indexes=[index()], bloat={"2": Bloat(0.2, 200e6, MEASURED)}
    )
    step = plan(found).steps[-1]
    assert step.action == Action.REBUILD
    assert "only if it is so then" in step.details["why"]


def test_index_without_bloat_is_left_alone():
    assert actions(survey(indexes=[index()], bloat={"2": Bloat(0.1, 200e6, MEASURED)})) == []


def test_index_is_not_rebuilt_without_room():
    made = plan(survey(indexes=[index()], bloat=BLOATED, free_bytes=1e6))
    assert (made.steps, len(made.unknown)) == ((), 0)
    assert "bloated, and not rebuilt: the volume has 976.6 KiB free" in made.protected[0][1]


def test_room_that_should_be_known_and_is_not_is_unknown():
    made = plan(survey(indexes=[index()], bloat=BLOATED, no_room_known="Prometheus is down"))
    assert (made.steps, made.unknown) == (
        (),
        (("public.audit_logs_pkey", "bloated, and not rebuilt: Prometheus is down"),),
    )


def test_table_of_somebody_else_is_unknown_only_when_it_asks():
    assert plan(survey(not_ours={"1": "alice"})).unknown == ()
    asks = survey(tables=[table(dead_rows=50_000)], not_ours={"1": "alice"}, indexes=[index()], bloat=BLOATED)
    assert [subject for subject, _ in plan(asks).unknown] == ["public.audit_logs", "public.audit_logs_pkey"]


def test_table_that_is_being_vacuumed_is_left_to_it():
    assert actions(survey(tables=[table(dead_rows=50_000, busy=True)])) == []


def expired(**changes: object) -> list[str]:
    old = {"is_partition": True, "upper": CUTOFF, "keeps": False, "eligible": 5, **changes}
    return [action for action in actions(survey(retention=[seen(part(**old))])) if action != Action.VACUUM]


def test_partition_that_is_over_leaves_whole():
    assert expired() == [Action.DROP_PART]


@pytest.mark.parametrize(
    "changes",
    [{"upper": CUTOFF + timedelta(seconds=1)}, {"upper": None}, {"keeps": True}, {"has_default": True}],
    ids=str,
)
def test_partition_that_may_not_leave_whole_loses_its_old_rows(changes: dict[str, object]):
    assert expired(**changes) == [Action.DELETE]


def test_table_of_a_partition_that_leaves_is_not_vacuumed():
    old = part(is_partition=True, upper=CUTOFF, keeps=False, eligible=90_000)
    assert actions(survey(retention=[seen(old)], tables=[table(dead_rows=50_000)])) == [Action.DROP_PART]


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"twin": "audit_logs_pkey"}, False),
        ({"twin": "audit_logs_pkey", "building": True}, True),
        ({}, True),
        ({"base": None, "index_name": "audit_logs_new"}, True),
    ],
    ids=str,
)
def test_only_a_leftover_beside_its_twin_is_dropped(changes: dict[str, object], kept: bool):
    assert bool(why_kept(invalid(**changes), frozenset())) is kept


def test_leftover_of_a_recorded_rebuild_needs_no_twin():
    assert why_kept(invalid(), frozenset({("public", "audit_logs_pkey")})) == ""
    assert why_kept(invalid(), frozenset({("other", "audit_logs_pkey")})) != ""
    assert why_kept(invalid(), frozenset({("public", "audit_logs")})) != ""


def test_leftover_of_a_name_that_was_cut_is_known():
    name = "a" * 63
    cut = invalid(base="a" * 57, index_name="a" * 57 + "_ccnew")
    assert why_kept(cut, frozenset({("public", name)})) == ""


def test_rows_that_are_left_are_no_success():
    made = plan(survey(retention=[seen(part(eligible=50_000))]))
    key = "rows beyond retention public.audit_logs"
    assert not_better(made, {key: 50_000}, {key: 0}, bloat_limit=0.4) == ""
    assert not_better(made, {key: 50_000}, {key: 3}, bloat_limit=0.4) == (
        "3 rows of public.audit_logs are still beyond their retention"
    )


def test_index_as_bloated_as_before_is_no_success():
    made = plan(survey(indexes=[index()], bloat=BLOATED))
    key = "bloat_ratio public.audit_logs_pkey"
    assert not_better(made, {key: 0.6}, {key: 0.01}, bloat_limit=0.4) == ""
    assert "as bloated as before" in not_better(made, {key: 0.6}, {key: 0.6}, bloat_limit=0.4)


def test_another_invalid_index_is_no_success():
    made = plan(survey())
    assert not_better(made, {"invalid indexes": 1}, {"invalid indexes": 1}, bloat_limit=0.4) == ""
    assert "2 invalid indexes, 1 before" in not_better(
        made, {"invalid indexes": 1}, {"invalid indexes": 2}, bloat_limit=0.4
    )


def test_plan_comes_back_from_the_history_as_it_was():
    made = plan(survey(retention=[seen(problem="there is no such table")]))
    assert Plan.from_dict(made.to_dict()) == made
    assert made.unknown == (("public.audit_logs", "there is no such table"),)


def partition(**changes: Any) -> Part:
    expired = {"is_partition": True, "upper": CUTOFF, "keeps": False, "eligible": 10}
    return part(**{**expired, **changes})


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, Action.DROP_PART),
        ({"triggers": ["noted"]}, Action.DELETE),
        ({"needed_by": ["view seen"]}, Action.DELETE),
        ({"has_default": True}, Action.DELETE),
        ({"needed_by": ["view seen"], "pending": True}, Action.DROP_PART),
        ({"pending": True, "keeps": True}, Action.DELETE),
    ],
)
def test_how_an_expired_partition_leaves(changes: dict[str, Any], action: Action):
    assert actions(survey(retention=[seen(partition(**changes))]))[0] == action


def test_half_detached_partition_with_rows_that_stay_is_named():
    made = plan(survey(retention=[seen(partition(pending=True, keeps=True))]))
    assert "begun and not finished" in dict(made.unknown)["public.audit_logs"]
