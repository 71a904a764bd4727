"""Charts of the weekly performance review.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "charts",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.SmallInteger, nullable=False, comment="its place on the run's page"),
        sa.Column("kind", sa.Text, nullable=False, comment="a name of include/charts/routes.yaml"),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False, comment="the last hour's end"),
        sa.Column("this_week", JSONB, nullable=False, comment="168 numbers by the hour; null: not known"),
        sa.Column("week_before", JSONB, nullable=False, comment="168 numbers by the hour; null: not known"),
        sa.UniqueConstraint("environment", "entry", "run_id", "place"),
        sa.Index("charts_by_run", "entry", "run_id"),
        comment="one row is one chart of one run",
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("charts")
