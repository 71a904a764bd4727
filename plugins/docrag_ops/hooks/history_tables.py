"""The tables of the history, as SQLAlchemy Core; `docrag_ops.migrations` creates and alters them.

Times are UTC with time zone. Names of environments, entries, checks and runs are kept as text: history outlives them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

reports = Table(
    "reports",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("environment", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("verdict", Text, nullable=False),
    Column("result", JSONB, nullable=False, comment="the result contract: findings and what was not judged"),
    Column("rendered", Text, nullable=False, comment="the report as it was shown, Markdown"),
    Column(
        "silences",
        JSONB(none_as_null=True),
        comment="Alertmanager's silences of its findings; null when it was not asked",
    ),
    UniqueConstraint("environment", "entry", "run_id"),
    comment="one row is the report of one run",
)

measurements = Table(
    "measurements",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("environment", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("check_name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("measured_at", DateTime(timezone=True), nullable=False),
    Column("value", Double, comment="in `unit`; null for a share"),
    Column("numerator", Double, comment="cumulative, for a share"),
    Column("denominator", Double, comment="cumulative, for a share"),
    Column("unit", Text, nullable=False),
    Column(
        "epoch", Text, nullable=False, comment="the life of a counter; it began again at 0 where this changes"
    ),
    Column("verdict", Text, comment="null when there was no baseline to judge by"),
    Index("measurements_by_subject", "environment", "check_name", "subject", "measured_at"),
    Index("measurements_by_run", "environment", "entry", "run_id", "area"),
    comment="one row is one number about one subject, as one run measured it",
)

findings = Table(
    "findings",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("environment", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("check_name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("value", Double),
    Column("unit", Text, nullable=False),
    Column("limit_value", Double),
    Column("evidence", Text, nullable=False),
    Index("findings_by_run", "environment", "entry", "run_id", "area"),
    comment="one row is one finding of one run, also those beyond what a report shows",
)

statements = Table(
    "statements",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("environment", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("taken_at", DateTime(timezone=True), nullable=False),
    Column("stats_reset", DateTime(timezone=True), comment="when pg_stat_statements last began at 0"),
    Column("dealloc", BigInteger, comment="how often statements were evicted since then"),
    Column("query_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("database_id", BigInteger, nullable=False),
    Column("query", Text, nullable=False, comment="normalised text, shortened"),
    Column("calls", BigInteger, nullable=False),
    Column("total_ms", Double, nullable=False, comment="planning and execution, cumulative"),
    Column("rows_count", BigInteger, nullable=False),
    Column("blocks_hit", BigInteger, nullable=False),
    Column("blocks_read", BigInteger, nullable=False),
    Column("temp_blocks_written", BigInteger, nullable=False),
    Index("statements_by_time", "environment", "taken_at"),
    comment="one row is one statement's cumulative counters in one snapshot of pg_stat_statements",
)

changes = Table(
    "changes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("environment", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("change_name", Text, nullable=False),
    Column("planned_at", DateTime(timezone=True), nullable=False),
    Column("requested_by", Text, nullable=False, comment="the person who triggered the run, or `schedule`"),
    Column("plan", JSONB, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the plan"),
    Column("dry_run", Boolean, nullable=False),
    Column("refused", Text, nullable=False, comment="why nothing may be done, empty when it may"),
    Column("ask", Text, nullable=False, comment="why a person has to approve, empty when policy is enough"),
    Column("decision", Text, comment="within policy, approved, rejected, expired; null while nobody decided"),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_digest", Text, comment="the digest of the plan that was decided on"),
    Column("before", JSONB, comment="the proof's measurements before the first step"),
    Column("after", JSONB, comment="the proof's measurements after the last step"),
    Column("not_better", Text, comment="what did not get better; empty when the change did what it was for"),
    UniqueConstraint("environment", "entry", "run_id", "change_name"),
    comment="one row is one planned change of one run: the audit record",
)

change_steps = Table(
    "change_steps",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("change_id", BigInteger, ForeignKey("changes.id"), nullable=False),
    Column("step_number", BigInteger, nullable=False),
    Column("target", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="written before anything is done"),
    Column("ended_at", DateTime(timezone=True)),
    Column("outcome", Text, nullable=False, comment="started, done, skipped, failed"),
    Column("what", Text, nullable=False, comment="what was done, or why not"),
    UniqueConstraint("change_id", "step_number"),
    Index("change_steps_by_target", "target", "started_at"),
    comment="one row is one step's intent, and what became of it",
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False, comment="failed, late, import_error, test"),
    Column("dag_id", Text, nullable=False, comment="of an import error the file"),
    Column("run_id", Text, nullable=False, comment="of an import error the fingerprint of its text"),
    Column("clear_number", BigInteger, nullable=False, comment="of an import error its occurrence"),
    Column("happened_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False, comment="when it was raised last"),
    Column("facts", JSONB, nullable=False),
    Column("tries", BigInteger, nullable=False),
    Column("next_try_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("claimed_by", Text, comment="who is sending it just now"),
    Column("claimed_until", DateTime(timezone=True), comment="until when that is believed"),
    Column("channels", JSONB, nullable=False, comment="the channels that took it"),
    Column("delivered_at", DateTime(timezone=True), comment="when the last channel took it"),
    Column("message", Text, comment="what was sent"),
    Column("last_error", Text, nullable=False),
    UniqueConstraint("dag_id", "run_id", "clear_number", "kind"),
    Index("alarms_undelivered", "happened_at", postgresql_where=text("delivered_at IS NULL")),
    comment="one row is one thing that a person has to be told once: the outbox",
)

open_findings = Table(
    "open_findings",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("environment", Text, nullable=False),
    Column("scope", Text, nullable=False, comment="the entry, of a finding about its own run; else empty"),
    Column("area", Text, nullable=False),
    Column("check_name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("severity", Text, nullable=False, comment="warning, unknown, critical"),
    Column("entry", Text, nullable=False, comment="which found it last"),
    Column("run_id", Text, nullable=False, comment="which found it last"),
    Column(
        "first_seen_at", DateTime(timezone=True), nullable=False, comment="bad since, whatever its severity"
    ),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    Column(
        "ends_at", DateTime(timezone=True), nullable=False, comment="when the next run should have seen it"
    ),
    Column("annotations", JSONB, nullable=False),
    Column("resolved_at", DateTime(timezone=True), comment="null while it is open"),
    Column("resolution", Text, nullable=False, comment="why it is not open any more"),
    Column("told_resolved_at", DateTime(timezone=True), comment="when Alertmanager took that it is resolved"),
    Index(
        "open_findings_open",
        "environment",
        "scope",
        "check_name",
        "subject",
        "severity",
        unique=True,
        postgresql_where=text("resolved_at IS NULL"),
    ),
    Index(
        "open_findings_untold",
        "environment",
        postgresql_where=text("resolved_at IS NOT NULL AND told_resolved_at IS NULL"),
    ),
    comment="one row is one finding from the run that saw it first to the run that saw it gone",
)

log_reviews = Table(
    "log_reviews",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("environment", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("lines", JSONB, nullable=False, comment="lines by level"),
    Column("beyond", BigInteger, nullable=False, comment="lines of too many kinds to be told apart"),
    UniqueConstraint("environment", "entry", "run_id"),
    Index("log_reviews_by_time", "environment", "recorded_at"),
    comment="one row is one run's review of the logs",
)

log_templates = Table(
    "log_templates",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("review_id", ForeignKey("log_reviews.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("level", Text, nullable=False),
    Column("template", Text, nullable=False, comment="the message with <*> where messages differ"),
    Column("line_count", BigInteger, nullable=False),
    Column("is_new", Boolean, nullable=False, comment="none of the reviews before had it"),
    Column("first_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Column("pod", Text, nullable=False, comment="where it was written last"),
    Column("example", Text, nullable=False, comment="the newest line, shortened"),
    comment="one row is one template in one review",
)
