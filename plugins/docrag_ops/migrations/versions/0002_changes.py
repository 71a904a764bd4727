"""Changes and their steps: plan, approval, intent, proof.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the audit record of changes."""
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("change_name", sa.Text, nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "requested_by", sa.Text, nullable=False, comment="the person who triggered the run, or `schedule`"
        ),
        sa.Column("plan", JSONB, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, comment="SHA-256 of the plan"),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("refused", sa.Text, nullable=False, comment="why nothing may be done, empty when it may"),
        sa.Column(
            "ask", sa.Text, nullable=False, comment="why a person has to approve, empty when policy is enough"
        ),
        sa.Column(
            "decision",
            sa.Text,
            comment="within policy, approved, rejected, expired; null while nobody decided",
        ),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("decided_digest", sa.Text, comment="the digest of the plan that was decided on"),
        sa.Column("before", JSONB, comment="the proof's measurements before the first step"),
        sa.Column("after", JSONB, comment="the proof's measurements after the last step"),
        sa.Column(
            "not_better",
            sa.Text,
            comment="what did not get better; empty when the change did what it was for",
        ),
        sa.UniqueConstraint("environment", "entry", "run_id", "change_name"),
        comment="one row is one planned change of one run: the audit record",
    )
    op.create_table(
        "change_steps",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("change_id", sa.BigInteger, sa.ForeignKey("changes.id"), nullable=False),
        sa.Column("step_number", sa.BigInteger, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="written before anything is done",
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.Text, nullable=False, comment="started, done, skipped, failed"),
        sa.Column("what", sa.Text, nullable=False, comment="what was done, or why not"),
        sa.UniqueConstraint("change_id", "step_number"),
        comment="one row is one step's intent, and what became of it",
    )
    op.create_index("change_steps_by_target", "change_steps", ["target", "started_at"])


def downgrade() -> None:
    """Drop the audit record of changes, with all that is in it."""
    op.drop_table("change_steps")
    op.drop_table("changes")
