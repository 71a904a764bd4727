"""The questions for samples of earlier runs, as SQLAlchemy Core.

The history grows with every run, and pods leave their names in it for ever: what is asked costs what is measured now,
not what was ever measured.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, column, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.history_tables import measurements as table

COLUMNS = [
    table.c[name]
    for name in ("check_name", "subject", "measured_at", "value", "numerator", "denominator", "epoch")
]


def newest_of_subjects(run: RunKey, subjects: Mapping[str, Collection[str]]) -> Select[Any]:
    """The newest sample of each of these subjects (check → subjects); one look into the index for each."""
    pairs = [(check, subject) for check, wanted in subjects.items() for subject in wanted]
    asked = (
        func.unnest(
            cast([check for check, _ in pairs], ARRAY(Text)),
            cast([subject for _, subject in pairs], ARRAY(Text)),
        )
        .table_valued(column("check_name", Text), column("subject", Text), name="asked")
        .render_derived()
    )
    newest = (
        select(*COLUMNS)
        .where(*_earlier(run), table.c.check_name == asked.c.check_name, table.c.subject == asked.c.subject)
        .order_by(table.c.measured_at.desc())
        .limit(1)
        .lateral("newest")
    )
    return select(newest).select_from(asked.join(newest, true()))


def newest_of_checks(run: RunKey, checks: Collection[str]) -> Select[Any]:
    """The newest sample of each of these checks, whatever its subject."""
    return (
        select(*COLUMNS)
        .ext(distinct_on(table.c.check_name))
        .where(*_earlier(run), table.c.check_name.in_(checks))
        .order_by(table.c.check_name, table.c.measured_at.desc())
    )


def daily_samples(run: RunKey, days: Mapping[str, int], *, now: datetime) -> Select[Any]:
    """All samples of the past days (check → how many), oldest first."""
    past = [
        and_(table.c.check_name == check, table.c.measured_at >= now - timedelta(days=count + 1))
        for check, count in days.items()
    ]
    return select(*COLUMNS).where(*_earlier(run), or_(*past)).order_by(table.c.measured_at)


def _earlier(run: RunKey) -> list[ColumnElement[bool]]:
    """In this environment, and not of this very run."""
    return [
        table.c.environment == run.environment,
        or_(table.c.entry != run.entry, table.c.run_id != run.run_id),
    ]
