"""Rules of the house that no linter knows."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = [
    line
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line.strip() and not line.startswith("#")
]
LOCK = (ROOT / "requirements.lock").read_text()


def test_every_requirement_is_pinned_exactly_and_says_why():
    pinned_with_reason = re.compile(r"[a-z0-9\[\]-]+==[0-9][\w.]*\s{2,}# \S.{9,}")
    assert [line for line in REQUIREMENTS if not pinned_with_reason.fullmatch(line)] == []


def test_every_requirement_is_locked_at_the_same_version():
    locked = set(re.findall(r"^([a-z0-9-]+)(?:\[[\w,]+\])?==([^\s;]+)", LOCK, re.MULTILINE))
    wanted = {re.match(r"([a-z0-9-]+)(?:\[\w+\])?==(\S+)", line).groups() for line in REQUIREMENTS}
    assert wanted - locked == set()


def test_lock_names_no_registry_and_no_local_file():
    assert not re.search(r"://|--(extra-)?index-url|--find-links| @ ", LOCK)


def test_include_holds_data_only():
    assert [path.relative_to(ROOT) for path in (ROOT / "include").rglob("*.py")] == []


def test_pools_have_slots_and_a_description():
    pools = json.loads((ROOT / "include/airflow/pools.json").read_text())
    assert pools["docrag_database"]["slots"] == 1
    assert all(pool["slots"] > 0 and pool["description"] for pool in pools.values())


def test_ci_runs_what_a_person_runs():
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "exec make test"
