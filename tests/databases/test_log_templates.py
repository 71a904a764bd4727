"""What log reviews found, on a real PostgreSQL."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.errors import UnreachableError
from docrag_ops.core.logs.levels import Level
from docrag_ops.core.logs.review import Review
from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.log_templates import LogTemplates

pytestmark = pytest.mark.sandbox
NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
Connect = Callable[..., None]


def run_of(run_id: str, request: pytest.FixtureRequest) -> RunKey:
    return RunKey(environment=request.node.name, entry="daily_log_maintenance", run_id=run_id)


def review_of(*texts: str) -> Review:
    review = Review()
    lines = "".join(f"2026-07-01T11:00:00.000000000Z {text}\n" for text in texts)
    review.read("doc-rag-prod/api-1", [lines.encode("utf-8", "surrogateescape")])
    return review


def record(run: RunKey, *texts: str, days: float = 0) -> None:
    LogTemplates().record(run, review_of(*texts), at=NOW - timedelta(days=days))


def test_the_first_review_has_nothing_to_compare_with(connect_to: Connect, request):
    assert LogTemplates().earlier(run_of("1", request), runs=7) is None


def test_a_review_without_errors_is_a_review(connect_to: Connect, request):
    record(run_of("1", request), "INFO all is well")
    assert LogTemplates().earlier(run_of("2", request), runs=7) == []


def test_templates_of_the_last_seven_reviews_are_known(connect_to: Connect, request):
    for number in range(9):
        record(run_of(str(number), request), f"ERROR {'abcdefghi'[number]} failed", days=9 - number)
    earlier = LogTemplates().earlier(run_of("next", request), runs=7)
    assert [text for _, text in earlier] == [f"{letter} failed" for letter in "cdefghi"]


def test_a_run_is_not_compared_with_itself_and_leaves_no_doubles(connect_to: Connect, request):
    record(run_of("1", request), "ERROR a failed")
    record(run_of("1", request), "ERROR b failed", "WARN c is slow")
    assert LogTemplates().earlier(run_of("1", request), runs=7) is None
    assert LogTemplates().earlier(run_of("2", request), runs=7) == [
        (Level.ERROR, "b failed"),
        (Level.WARNING, "c is slow"),
    ]


def test_hostile_lines_are_kept(connect_to: Connect, request):
    record(run_of("1", request), "ERROR 'it''s' \x00 \udcff \u202e <b> %s; DROP TABLE log_reviews")
    assert len(LogTemplates().earlier(run_of("2", request), runs=7)) == 1


def test_without_the_database_nothing_is_known(monkeypatch: pytest.MonkeyPatch, request):
    nowhere = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "schema": "docrag_history"}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_HISTORY", json.dumps(nowhere))
    with pytest.raises(UnreachableError):
        LogTemplates().earlier(run_of("1", request), runs=7)
