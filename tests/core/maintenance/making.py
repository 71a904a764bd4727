"""Tables, indexes and surveys that ask for nothing, to be changed by a test."""

from datetime import UTC, datetime
from typing import Any

from docrag_ops.core.maintenance.facts import IndexFacts, InvalidIndex, Part, TableFacts
from docrag_ops.core.maintenance.policy import Retention
from docrag_ops.core.maintenance.survey import RetentionSeen, Survey

# As a PostgreSQL 15 has them by default.
SERVER = {
    "autovacuum_vacuum_threshold": 50.0,
    "autovacuum_vacuum_scale_factor": 0.2,
    "autovacuum_vacuum_insert_threshold": 1000.0,
    "autovacuum_vacuum_insert_scale_factor": 0.2,
    "autovacuum_analyze_threshold": 50.0,
    "autovacuum_analyze_scale_factor": 0.1,
    "autovacuum_freeze_max_age": 200_000_000.0,
}
CUTOFF = datetime(2026, 10, 23, 2, tzinfo=UTC)
ROWS = 100_000.0


def table(**changes: Any) -> TableFacts:
    asks_for_nothing: dict[str, Any] = {
        "oid": "1",
        "schema_name": "public",
        "table_name": "audit_logs",
        "live_rows": ROWS,
        "dead_rows": 0.0,
        "inserts": 0.0,
        "changes": 0.0,
        "never_analyzed": False,
        "transaction_age": 1000.0,
        "vacuums": 1,
        "analyzes": 1,
        "busy": False,
    }
    return TableFacts(**{**asks_for_nothing, **changes})


def index(**changes: Any) -> IndexFacts:
    usual: dict[str, Any] = {
        "oid": "2",
        "table_oid": "1",
        "schema_name": "public",
        "index_name": "audit_logs_pkey",
        "table_label": "public.audit_logs",
        "method": "btree",
        "size_bytes": 200e6,
        "file": "2",
        "fillfactor": 90.0,
        "busy": False,
    }
    return IndexFacts(**{**usual, **changes})


def invalid(**changes: Any) -> InvalidIndex:
    usual: dict[str, Any] = {
        "oid": "3",
        "schema_name": "public",
        "index_name": "audit_logs_pkey_ccnew",
        "table_label": "public.audit_logs",
        "base": "audit_logs_pkey",
        "twin": None,
        "building": False,
    }
    return InvalidIndex(**{**usual, **changes})


def part(**changes: Any) -> Part:
    usual: dict[str, Any] = {
        "oid": "1",
        "schema_name": "public",
        "table_name": "audit_logs",
        "live_rows": ROWS,
        "is_partition": False,
        "parent_schema": None,
        "parent_name": None,
        "column_type": "timestamp with time zone",
        "has_default": False,
        "pending": False,
        "upper": None,
        "keys": ["id"],
        "key_types": ["bigint"],
    }
    return Part(**{**usual, **changes})


def seen(*parts: Part, **changes: Any) -> RetentionSeen:
    policy = Retention(table=("public", "audit_logs"), column="created_at", days=30)
    return RetentionSeen(policy=policy, cutoff=CUTOFF, parts=parts, **changes)


def survey(**changes: Any) -> Survey:
    return Survey(**{"tables": [table()], "server": SERVER, **changes})
