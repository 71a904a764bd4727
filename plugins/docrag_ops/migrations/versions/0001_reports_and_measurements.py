"""Reports, findings, measurements and statement snapshots.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def _run_columns() -> list[sa.Column[int] | sa.Column[str]]:
    return [
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
    ]


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "reports",
        *_run_columns(),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column(
            "result", JSONB, nullable=False, comment="the result contract: findings and what was not judged"
        ),
        sa.Column("rendered", sa.Text, nullable=False, comment="the report as it was shown, Markdown"),
        sa.UniqueConstraint("environment", "entry", "run_id"),
        comment="one row is the report of one run",
    )
    op.create_table(
        "measurements",
        *_run_columns(),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("check_name", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Double, comment="in `unit`; null for a share"),
        sa.Column("numerator", sa.Double, comment="cumulative, for a share"),
        sa.Column("denominator", sa.Double, comment="cumulative, for a share"),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column(
            "epoch",
            sa.Text,
            nullable=False,
            comment="the life of a counter; it began again at 0 where this changes",
        ),
        sa.Column("verdict", sa.Text, comment="null when there was no baseline to judge by"),
        comment="one row is one number about one subject, as one run measured it",
    )
    op.create_index(
        "measurements_by_subject", "measurements", ["environment", "check_name", "subject", "measured_at"]
    )
    op.create_index("measurements_by_run", "measurements", ["environment", "entry", "run_id", "area"])
    op.create_table(
        "findings",
        *_run_columns(),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("check_name", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("limit_value", sa.Double),
        sa.Column("evidence", sa.Text, nullable=False),
        comment="one row is one finding of one run, also those beyond what a report shows",
    )
    op.create_index("findings_by_run", "findings", ["environment", "entry", "run_id", "area"])
    op.create_table(
        "statements",
        *_run_columns(),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "stats_reset", sa.DateTime(timezone=True), comment="when pg_stat_statements last began at 0"
        ),
        sa.Column("dealloc", sa.BigInteger, comment="how often statements were evicted since then"),
        sa.Column("query_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("database_id", sa.BigInteger, nullable=False),
        sa.Column("query", sa.Text, nullable=False, comment="normalised text, shortened"),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("total_ms", sa.Double, nullable=False, comment="planning and execution, cumulative"),
        sa.Column("rows_count", sa.BigInteger, nullable=False),
        sa.Column("blocks_hit", sa.BigInteger, nullable=False),
        sa.Column("blocks_read", sa.BigInteger, nullable=False),
        sa.Column("temp_blocks_written", sa.BigInteger, nullable=False),
        comment="one row is one statement's cumulative counters in one snapshot of pg_stat_statements",
    )
    op.create_index("statements_by_time", "statements", ["environment", "taken_at"])


def downgrade() -> None:
    """Drop the first tables, with all that is in them."""
    for table in ("statements", "findings", "measurements", "reports"):
        op.drop_table(table)
