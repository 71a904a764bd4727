"""Which tables ask for a vacuum or an analyze: constructed statistics, limits as the policy's defaults."""

from typing import Any

import pytest

from docrag_ops.core.maintenance.bloat import MEASURED, Bloat
from docrag_ops.core.maintenance.policy import ReindexPolicy, VacuumPolicy
from docrag_ops.core.maintenance.upkeep import Need, asks_for_rebuild, need_of, why_no_room, why_not_rebuilt
from tests.core.maintenance.making import SERVER, index, table

POLICY = VacuumPolicy()


def need(deleted: float = 0, **changes: object) -> Need:
    return need_of(table(**changes), POLICY, SERVER, deleted=deleted)


def test_table_in_order_asks_for_nothing():
    assert need() == Need(False, None, ())


def test_dead_rows_ask_for_a_vacuum():
    assert need(dead_rows=20_000) == Need(True, None, ("20,000 dead rows (16.7 %)",))


def test_few_dead_rows_of_a_small_table_ask_for_nothing():
    assert not need(live_rows=500, dead_rows=400).reasons


def test_many_dead_rows_that_are_a_small_share_ask_for_nothing():
    assert not need(live_rows=10_000_000, dead_rows=20_000).reasons


def test_rows_that_this_plan_deletes_count_as_dead():
    assert need(deleted=30_000).reasons == ("30,000 dead rows (30 %, 30,000 of them by this plan)",)


def test_inserts_ask_for_a_vacuum_beyond_the_servers_own_limit():
    assert not need(inserts=21_000).vacuum
    assert need(inserts=21_001).reasons == ("21,001 rows inserted since it was vacuumed",)


def test_tables_own_limit_for_inserts_counts():
    assert need(inserts=2_000, options={"autovacuum_vacuum_insert_scale_factor": "0.001"}).vacuum


def test_inserts_that_the_table_does_not_count_ask_for_nothing():
    assert not need(inserts=1e9, options={"autovacuum_vacuum_insert_threshold": "-1"}).vacuum


@pytest.mark.parametrize(("age", "asks"), [(149_999_999.0, False), (150_000_000.0, True)])
def test_old_rows_ask_for_a_freeze(age: float, asks: bool):
    assert (need(transaction_age=age).age_limit is not None, need(transaction_age=age).vacuum) == (asks, asks)


def test_stale_statistics_ask_for_an_analyze_alone():
    assert need(changes=10_051) == Need(False, None, ("10,051 rows changed since it was analyzed",))


def test_table_that_was_never_analyzed_is_analyzed():
    assert need(never_analyzed=True, live_rows=5000).reasons == ("it was never analyzed",)


@pytest.mark.parametrize(
    ("ratio", "size", "asks"), [(0.4, 1e9, True), (0.39, 1e9, False), (0.9, 1e8, False), (0.5, 2e8, True)]
)
def test_rebuild_needs_both_a_share_and_bytes(ratio: float, size: float, asks: bool):
    assert asks_for_rebuild(Bloat(ratio, size, MEASURED), ReindexPolicy()) is asks


def test_room_of_twice_the_index_is_needed():
    assert why_no_room(index().size_bytes, 400e6) == ""
    assert "a rebuild of 190.7 MiB needs twice its size" in why_no_room(index().size_bytes, 399e6)


def test_room_that_nobody_can_tell_is_no_reason():
    assert why_no_room(index().size_bytes, None) == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"exclusion": True}, "exclusion constraint only under a lock"),
        ({"busy": True}, "is being built at this moment"),
        ({"tablespace": "fast disks"}, "the room of its tablespace fast disks is not known"),
    ],
)
def test_bloated_index_that_cannot_be_rebuilt_is_left_alone(changes: dict[str, Any], why: str):
    assert why in why_not_rebuilt(index(**changes), 1e12)
    assert bool(why) == bool(why_not_rebuilt(index(**changes), 1e12))


def test_room_of_a_tablespace_is_asked_for_only_where_the_other_is():
    assert why_not_rebuilt(index(tablespace="fast"), None) == ""


def test_table_that_nobody_remembers_is_vacuumed_unless_it_is_small():
    assert need(forgotten=True).vacuum
    assert need(forgotten=True, live_rows=999.0).reasons == ()
