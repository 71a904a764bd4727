"""What PostgreSQL's measurements propose, worked out by hand for a container of 4 GiB."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from docrag_ops.core.tuning.catalogue import Catalogue, Proposal, TuningPolicy
from docrag_ops.core.tuning.postgres import Facts, Situation, propose
from docrag_ops.core.tuning.postgres_plan import sort
from docrag_ops.core.tuning.probes import worse
from docrag_ops.core.tuning.values import Setting, canonical, written

GIB, MIB = 2**30, 2**20
CATALOGUE = Catalogue.model_validate(
    yaml.safe_load((Path(__file__).parents[3] / "include/tuning/postgres.yaml").read_text())
)
FACTS = Facts(
    memory_limit_bytes=4 * GIB,
    memory_limit_from="the test",
    max_connections=100,
    connections_used=12,
    statistics_hours=100,
    temp_files=0,
    temp_bytes=0,
    checkpoints_timed=1200,
    checkpoints_requested=0,
    wal_bytes=0,
)


def setting(name: str, value: str, unit: str = "", kind: str = "integer", **more: Any) -> Setting:
    return Setting(name=name, value=value, unit=unit, kind=kind, **more)


WELL_SET = {
    one.name: one
    for one in (
        setting("shared_buffers", "131072", "8kB", context="postmaster"),  # 1 GiB
        setting("effective_cache_size", "327680", "8kB"),  # 2.5 GiB
        setting("maintenance_work_mem", "262144", "kB"),  # 256 MiB
        setting("work_mem", "8192", "kB"),
        setting("max_wal_size", "1024", "MB"),
        setting("checkpoint_timeout", "300", "s"),
        setting("random_page_cost", "4", kind="real"),
    )
}


def proposals(
    *, policy: dict[str, Any] | None = None, settings: dict[str, Setting] | None = None, **facts: Any
) -> tuple[dict[str, Proposal], dict[str, str]]:
    situation = Situation(
        facts=replace(FACTS, **facts),
        settings={**WELL_SET, **(settings or {})},
        catalogue=CATALOGUE,
        policy=TuningPolicy.model_validate({"storage": "disk", **(policy or {})}),
    )
    found, silent = propose(situation, "measured")
    return {one.name: one for one in found if one.name not in CATALOGUE.advice}, dict(silent)


def test_well_set_server_is_left_as_it_is():
    assert proposals() == ({}, {})


def test_memory_follows_the_limit():
    found, _ = proposals(memory_limit_bytes=16 * GIB)
    assert {name: one.value for name, one in found.items()} == {
        "shared_buffers": "4096MB",
        "effective_cache_size": "10649MB",
        "maintenance_work_mem": "1024MB",
    }


def test_work_mem_that_all_connections_together_have_no_room_for_is_lowered():
    found, _ = proposals(settings={"work_mem": setting("work_mem", "65536", "kB")})
    assert found["work_mem"].value == "10MB"  # 3 GiB / (100 x 3)
    assert "100 connections" in found["work_mem"].why


def test_temporary_files_raise_work_mem_as_far_as_there_is_room():
    small = {"work_mem": setting("work_mem", "1024", "kB")}
    found, _ = proposals(settings=small, temp_files=50, temp_bytes=50 * 1.5 * MIB)
    assert found["work_mem"].value == "3072kB"
    found, _ = proposals(settings=small, temp_files=50, temp_bytes=50 * 900 * MIB)
    assert found["work_mem"].value == "10MB"


def test_requested_checkpoints_raise_max_wal_size_to_the_measured_rate():
    # 4 MiB/s for 100 h; two checkpoints of 300 s each
    busy = {"checkpoints_requested": 300, "wal_bytes": 4.0 * MIB * 360_000}
    found, _ = proposals(policy={"wal_space_bytes": 8 * GIB}, **busy)
    assert found["max_wal_size"].value == "2400MB"
    found, _ = proposals(policy={"wal_space_bytes": 2 * GIB}, **busy)
    assert found["max_wal_size"].value == "2048MB"
    found, silent = proposals(**busy)
    assert "wal_space_bytes" in silent["max_wal_size"]
    assert "max_wal_size" not in found


def test_young_counters_say_nothing():
    found, silent = proposals(statistics_hours=2, checkpoints_requested=900, temp_files=9, temp_bytes=9e9)
    assert found == {}
    assert silent["max_wal_size"] == "the server's counters cover 2.0 h, needs 24 h"


def test_storage_is_not_taken_for_an_ssd():
    assert proposals(policy={"storage": "ssd"})[0]["random_page_cost"].value == "1.1"
    assert "does not say" in proposals(policy={"storage": None})[1]["random_page_cost"]


def test_setting_of_the_command_line_is_left_alone():
    fixed = {"work_mem": setting("work_mem", "4096", "kB", source="command line")}
    found = sort([Proposal(name="work_mem", value="8MB", why="x")], fixed, allowed=["work_mem"])
    assert found.steps == ()
    assert "command line" in dict(found.protected)["work_mem"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("65536", "kB", "64MB"),
        ("16384", "8kB", "128MB"),
        ("900", "s", "15min"),
        ("-1", "ms", "-1"),
        ("0", "kB", "0kB"),
    ],
)
def test_value_is_written_as_the_server_reads_it_back(value, unit, text):
    one = setting("x", value, unit)
    assert canonical(one, written(one, value)) == value
    assert written(one, value) == text


def test_probe_is_worse_only_beyond_both_margins():
    policy = TuningPolicy.model_validate({"probe": {"worse_times": 1.5, "worse_seconds": 0.02}}).probe
    numbers = {"probe_errors": 0.0, "connections_refused": 0.0}
    before = {**numbers, "probe_seconds": 0.010}
    assert worse(before, {**numbers, "probe_seconds": 0.029}, policy) == ""
    assert "31 ms" in worse(before, {**numbers, "probe_seconds": 0.031}, policy)
    assert worse({**before, "probe_seconds": 1.0}, {**numbers, "probe_seconds": 1.4}, policy) == ""
    assert "not answered" in worse(before, numbers, policy)
    assert "probe errors: 1" in worse(before, {**before, "probe_errors": 1.0}, policy)


def test_sandbox_grants_exactly_the_settings_that_may_be_changed():
    text = (Path(__file__).parents[2] / "sandbox/sql/tuning.sql").read_text()
    granted = re.search(r"PARAMETER (.+?)\s+TO", text, re.DOTALL)
    assert granted is not None
    assert set(re.split(r",\s+", granted[1])) == set(CATALOGUE.allowed)
