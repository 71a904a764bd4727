"""Alembic migrations of the history's tables: a command (`python -m docrag_ops.migrate upgrade`), never a task."""
