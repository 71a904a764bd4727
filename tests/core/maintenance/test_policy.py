"""Mistakes in the policy are told with key, value and what was expected."""

import pytest

from docrag_ops.core.errors import DefinitionError
from docrag_ops.core.maintenance.policy import MaintenancePolicy
from docrag_ops.core.records import parse_record
from docrag_ops.hooks.include import IncludeFolder


def parse(policy: dict[str, object]) -> MaintenancePolicy:
    return parse_record(MaintenancePolicy, policy, what="the policy", where="x.yaml")


LOGS = {"table": ["public", "logs"], "column": "made", "days": 90}


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"retention": [{**LOGS, "days": 0}]}, "expected the age in days"),
        ({"retention": [{**LOGS, "table": "public.logs"}]}, "schema and name as they are"),
        ({"retention": [LOGS, LOGS]}, "names the table ['public', 'logs'] more than once"),
        ({"retention": [{**LOGS, "legal_hold": {"reason": "x", "values": ["a"]}}]}, "without the column"),
        ({"pace": {"rows": 20_000}}, "1 to 10000"),
        ({"reindex": {"bloat": 40}}, "the wasted share"),
        ({"vacuum": {"deadrows": 1}}, "is not known; expected one of"),
    ],
)
def test_mistake_is_named(policy: dict[str, object], words: str):
    with pytest.raises(DefinitionError) as caught:
        parse(policy)
    assert words in str(caught.value)


def test_environments_policy_is_one():
    section = IncludeFolder().environment("docrag-prod").change("database_maintenance")
    assert {one.label: one.days for one in parse(section.policy).retention} == {
        "public.user_sessions": 30,
        "public.audit_logs": 90,
    }
