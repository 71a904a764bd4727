"""Hours of service, and the day's figures of what capacity is planned by.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "service_hours",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False, comment="when the hour began"),
        sa.Column("valid_count", sa.Double, comment="requests; null when Prometheus had no series of them"),
        sa.Column("failed_count", sa.Double, nullable=False),
        sa.Column(
            "buckets", JSONB, nullable=False, comment="upper bound in seconds -> requests answered within it"
        ),
        sa.Column(
            "dark_minutes", ARRAY(sa.SmallInteger), nullable=False, comment="of which nothing is known"
        ),
        sa.Column("down_minutes", ARRAY(sa.SmallInteger), nullable=False, comment="planned or not"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("environment", "hour_at"),
        comment="one row is one UTC hour of service as Prometheus saw it; an hour without any data has none",
    )
    op.create_table(
        "capacity_days",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("series", sa.Text, nullable=False, comment="a name of include/capacity/series.yaml"),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("mean", sa.Double, nullable=False),
        sa.Column("p50", sa.Double, nullable=False),
        sa.Column("p95", sa.Double, nullable=False),
        sa.Column("max", sa.Double, nullable=False),
        sa.Column("sample_count", sa.BigInteger, nullable=False, comment="numbers they were taken of"),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="before the day's end: so far",
        ),
        sa.UniqueConstraint("environment", "series", "subject", "day"),
        sa.Index("capacity_days_by_day", "environment", "series", "day"),
        comment="one row is one series of one subject on one UTC day",
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("capacity_days")
    op.drop_table("service_hours")
