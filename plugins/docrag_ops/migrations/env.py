"""How Alembic reaches the history; called by `docrag_ops.migrate` with an open connection."""

from __future__ import annotations

from alembic import context

from docrag_ops.hooks.history_tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=True
)
with context.begin_transaction():
    context.run_migrations()
