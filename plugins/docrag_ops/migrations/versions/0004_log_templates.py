"""Log reviews and the templates they found.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "log_reviews",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lines", JSONB, nullable=False, comment="lines by level"),
        sa.Column(
            "beyond", sa.BigInteger, nullable=False, comment="lines of too many kinds to be told apart"
        ),
        sa.UniqueConstraint("environment", "entry", "run_id"),
        sa.Index("log_reviews_by_time", "environment", "recorded_at"),
        comment="one row is one run's review of the logs",
    )
    op.create_table(
        "log_templates",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column(
            "review_id",
            sa.BigInteger,
            sa.ForeignKey("log_reviews.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False, comment="the message with <*> where messages differ"),
        sa.Column("line_count", sa.BigInteger, nullable=False),
        sa.Column("is_new", sa.Boolean, nullable=False, comment="none of the reviews before had it"),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pod", sa.Text, nullable=False, comment="where it was written last"),
        sa.Column("example", sa.Text, nullable=False, comment="the newest line, shortened"),
        comment="one row is one template in one review",
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("log_templates")
    op.drop_table("log_reviews")
