"""Every runbook that a finding or a message points to exists."""

import re
from pathlib import Path

import pytest

from docrag_ops.hooks.include import IncludeFolder

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/runbooks.md").read_text()
CHAPTERS = {
    re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
    for title in re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
}
SOURCES = [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "include/reports").rglob("*.j2")]


def chapters_in(text: str) -> set[str]:
    return set(re.findall(r"docs/runbooks\.md#([\w-]+)", text))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_chapter_that_a_text_points_to_exists(path: Path):
    assert chapters_in(path.read_text()) - CHAPTERS == set()


def test_chapter_that_a_check_points_to_exists():
    checks = [check for found in IncludeFolder().all_checks().values() for check in found]
    assert {check.name: check.runbook for check in checks if chapters_in(check.runbook) - CHAPTERS} == {}
