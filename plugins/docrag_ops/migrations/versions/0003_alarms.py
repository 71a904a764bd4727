"""Alarms that wait to be delivered, findings that are open, and the silences of a report's findings.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the outbox and the record of open findings."""
    op.add_column(
        "reports",
        sa.Column(
            "silences", JSONB, comment="Alertmanager's silences of its findings; null when it was not asked"
        ),
    )
    _create_alarms()
    _create_open_findings()


def _time(name: str, comment: str | None = None, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, comment=comment)


def _create_alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False, comment="failed, late, import_error, test"),
        sa.Column("dag_id", sa.Text, nullable=False, comment="of an import error the file"),
        sa.Column(
            "run_id", sa.Text, nullable=False, comment="of an import error the fingerprint of its text"
        ),
        sa.Column("clear_number", sa.BigInteger, nullable=False, comment="of an import error its occurrence"),
        _time("happened_at", nullable=False),
        _time("seen_at", "when it was raised last", nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("tries", sa.BigInteger, nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("claimed_by", sa.Text, comment="who is sending it just now"),
        _time("claimed_until", "until when that is believed"),
        sa.Column("channels", JSONB, nullable=False, comment="the channels that took it"),
        _time("delivered_at", "when the last channel took it"),
        sa.Column("message", sa.Text, comment="what was sent"),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.UniqueConstraint("dag_id", "run_id", "clear_number", "kind"),
        comment="one row is one thing that a person has to be told once: the outbox",
    )
    op.create_index(
        "alarms_undelivered", "alarms", ["happened_at"], postgresql_where=sa.text("delivered_at IS NULL")
    )


def _create_open_findings() -> None:
    op.create_table(
        "open_findings",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column(
            "scope", sa.Text, nullable=False, comment="the entry, of a finding about its own run; else empty"
        ),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("check_name", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False, comment="warning, unknown, critical"),
        sa.Column("entry", sa.Text, nullable=False, comment="which found it last"),
        sa.Column("run_id", sa.Text, nullable=False, comment="which found it last"),
        _time("first_seen_at", "bad since, whatever its severity", nullable=False),
        _time("last_seen_at", nullable=False),
        _time("ends_at", "when the next run should have seen it", nullable=False),
        sa.Column("annotations", JSONB, nullable=False),
        _time("resolved_at", "null while it is open"),
        sa.Column("resolution", sa.Text, nullable=False, comment="why it is not open any more"),
        _time("told_resolved_at", "when Alertmanager took that it is resolved"),
        comment="one row is one finding from the run that saw it first to the run that saw it gone",
    )
    op.create_index(
        "open_findings_open",
        "open_findings",
        ["environment", "scope", "check_name", "subject", "severity"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "open_findings_untold",
        "open_findings",
        ["environment"],
        postgresql_where=sa.text("resolved_at IS NOT NULL AND told_resolved_at IS NULL"),
    )


def downgrade() -> None:
    """Drop them, with all that is in them."""
    op.drop_table("open_findings")
    op.drop_table("alarms")
    op.drop_column("reports", "silences")
