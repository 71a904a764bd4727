"""What earlier log reviews found, in the history database."""

from __future__ import annotations

from datetime import datetime

from docrag_ops.core.logs.levels import Level
from docrag_ops.core.logs.review import Review
from docrag_ops.core.runs import RunKey
from docrag_ops.core.texts import storable
from docrag_ops.hooks.history import HistoryHook


class LogTemplates(HistoryHook):
    """Keeps and finds templates, by the Connection `docrag_history`."""

    def earlier(self, run: RunKey, *, runs: int) -> list[tuple[Level, str]] | None:
        """Level and text of each template of the last so many reviews but this run's; None when there was none.

        :raises UnreachableError: when the history database cannot be used.
        """
        from sqlalchemy import or_, select

        from docrag_ops.hooks.history_tables import log_reviews, log_templates

        others = or_(log_reviews.c.entry != run.entry, log_reviews.c.run_id != run.run_id)
        latest = (
            select(log_reviews.c.id)
            .where(log_reviews.c.environment == run.environment, others)
            .order_by(log_reviews.c.recorded_at.desc(), log_reviews.c.id.desc())
            .limit(runs)
        )
        with self.transaction() as connection:
            ids = [row.id for row in connection.execute(latest)]
            if not ids:
                return None
            rows = connection.execute(
                select(log_templates.c.level, log_templates.c.template)
                .distinct()
                .where(log_templates.c.review_id.in_(ids))
                .order_by(log_templates.c.level, log_templates.c.template)
            )
            return [(Level(row.level), row.template) for row in rows]

    def record(self, run: RunKey, review: Review, *, at: datetime) -> None:
        """Keep a run's counts and templates; a second review of the same run replaces the first.

        :raises UnreachableError: when the history database cannot be used.
        """
        from docrag_ops.hooks.history_tables import log_reviews, log_templates

        key = run.to_columns()
        counts = {str(level): count for level, count in review.counts.items() if count}
        with self.transaction() as connection:
            connection.execute(
                log_reviews.delete().where(*(log_reviews.c[name] == value for name, value in key.items()))
            )
            review_id = connection.execute(
                log_reviews.insert()
                .values(**key, recorded_at=at, lines=counts, beyond=review.miner.beyond)
                .returning(log_reviews.c.id)
            ).scalar_one()
            rows = [
                {
                    "review_id": review_id,
                    "level": template.level,
                    "template": storable(template.text),
                    "line_count": template.count,
                    "is_new": not template.known,
                    "first_at": datetime.fromisoformat(template.first_at),
                    "last_at": datetime.fromisoformat(template.last_at),
                    "pod": template.pod,
                    "example": storable(template.example),
                }
                for template in review.miner.seen()
            ]
            if rows:
                connection.execute(log_templates.insert(), rows)
