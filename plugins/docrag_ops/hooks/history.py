"""The history: what was found and measured, in tables of the project's own."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.errors import UnreachableError
from docrag_ops.core.findings import Finding
from docrag_ops.core.measurements import Measurement, Sample
from docrag_ops.core.results import RunResult
from docrag_ops.core.runs import RunKey
from docrag_ops.core.texts import storable
from docrag_ops.core.verdicts import Verdict

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 20

SamplesByCheck = dict[str, dict[str, list[Sample]]]


@cache
def _engine(url: URL, connect_seconds: int, statement_seconds: int, process: int) -> Engine:
    """An engine that keeps one connection, looked at before each use; a forked process gets its own."""
    from sqlalchemy import create_engine

    return create_engine(
        url,
        pool_size=1,
        max_overflow=4,
        pool_pre_ping=True,
        pool_timeout=connect_seconds,
        connect_args={
            "connect_timeout": connect_seconds,
            "application_name": "docrag-ops history",
            "options": f"-c statement_timeout={statement_seconds}s -c lock_timeout=5s -c timezone=UTC",
        },
    )


class HistoryHook(BaseHook):
    """Keeps and finds history by the Connection `docrag_history`.

    Everything a run writes replaces what the same run wrote before, so that a cleared task leaves no doubles.
    """

    def __init__(
        self,
        conn_id: str = "docrag_history",
        *,
        connect_seconds: int = CONNECT_SECONDS,
        statement_seconds: int = STATEMENT_SECONDS,
    ) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.connect_seconds = connect_seconds
        self.statement_seconds = statement_seconds

    @cached_property
    def engine(self) -> Engine:
        """The process's engine for this Connection: opening a connection costs more than most questions."""
        return _engine(self.url(), self.connect_seconds, self.statement_seconds, os.getpid())

    def url(self) -> URL:
        """The SQLAlchemy URL of the Connection."""
        from sqlalchemy.engine import URL

        connection = self.get_connection(self.conn_id)
        query = {key: str(value) for key, value in connection.extra_dejson.items()}
        return URL.create(
            "postgresql+psycopg",
            username=connection.login,
            password=connection.password,
            host=connection.host,
            port=connection.port,
            database=connection.schema,
            query=query,
        )

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction; committed at the end of the block.

        :raises UnreachableError: when the history database cannot be used.
        """
        from airflow.sdk.exceptions import AirflowNotFoundException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            text = " ".join(str(error.__cause__ or error).split())
            raise UnreachableError(f"The history database ({self.conn_id}) cannot be used: {text}") from error
        except AirflowNotFoundException as error:
            raise UnreachableError(f"The history database cannot be used: {error}") from error

    def samples(
        self,
        run: RunKey,
        *,
        latest: Mapping[str, Collection[str]],
        daily: Mapping[str, int],
        now: datetime,
    ) -> SamplesByCheck:
        """Earlier samples by check and subject, oldest first; never those of the same run.

        :param latest: check → the subjects of which the newest sample is wanted; where none of them has one, it is the
            newest of the check at all, which tells a first run from a new subject.
        :param daily: checks of which all samples of so many past days are wanted.
        """
        from docrag_ops.hooks.past_samples import daily_samples, newest_of_checks, newest_of_subjects

        found: SamplesByCheck = {}
        with self.transaction() as connection:
            rows = [*connection.execute(newest_of_subjects(run, latest))] if any(latest.values()) else []
            if without := latest.keys() - {row.check_name for row in rows}:
                rows += connection.execute(newest_of_checks(run, without))
            if daily:
                rows += connection.execute(daily_samples(run, daily, now=now))
        for row in rows:
            sample = Sample(
                subject=row.subject,
                measured_at=row.measured_at,
                value=row.value,
                numerator=row.numerator,
                denominator=row.denominator,
                epoch=row.epoch,
            )
            found.setdefault(row.check_name, {}).setdefault(row.subject, []).append(sample)
        return found

    def record_area(
        self,
        run: RunKey,
        area: str,
        *,
        findings: Sequence[Finding],
        samples: Sequence[tuple[str, str, Measurement, Verdict | None]],
        at: datetime,
    ) -> None:
        """Keep all findings and samples (check, unit, measurement, verdict) of one area's check task."""
        from docrag_ops.hooks import history_tables as tables

        common = {**run.to_columns(), "area": area}
        rows = [
            {
                **common,
                "check_name": check,
                "subject": storable(measurement.subject),
                "measured_at": at,
                "value": measurement.value,
                "numerator": measurement.numerator,
                "denominator": measurement.denominator,
                "unit": unit,
                "epoch": measurement.epoch,
                "verdict": verdict,
            }
            for check, unit, measurement, verdict in samples
        ]
        with self.transaction() as connection:
            for table in (tables.findings, tables.measurements):
                connection.execute(
                    table.delete().where(*(table.c[key] == value for key, value in common.items()))
                )
            if findings:
                connection.execute(
                    tables.findings.insert(),
                    [{**common, **_finding_columns(one), "recorded_at": at} for one in findings],
                )
            if rows:
                connection.execute(tables.measurements.insert(), rows)

    def record_report(
        self,
        result: RunResult,
        *,
        rendered: str,
        at: datetime,
        silences: Sequence[Mapping[str, str]] | None = None,
    ) -> None:
        """Keep a run's report; a second report of the same run replaces the first.

        :param silences: which of its findings Alertmanager has silenced; None when it was not asked.
        """
        from sqlalchemy.dialects.postgresql import insert

        from docrag_ops.hooks.history_tables import reports

        key = {"environment": result.environment, "entry": result.entry, "run_id": result.run_id}
        kept = {
            "recorded_at": at,
            "verdict": result.verdict,
            "result": result.to_dict(),
            "rendered": rendered,
            "silences": None if silences is None else list(silences),
        }
        statement = (
            insert(reports).values(**key, **kept).on_conflict_do_update(index_elements=list(key), set_=kept)
        )
        with self.transaction() as connection:
            connection.execute(statement)

    def report(self, *, entry: str, run_id: str) -> RunResult | None:
        """The result of a run, as its report recorded it; None when there is none."""
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import reports

        with self.transaction() as connection:
            row = connection.execute(
                select(reports.c.result).where(reports.c.entry == entry, reports.c.run_id == run_id)
            ).first()
        return RunResult.from_dict(row.result) if row else None

    def record_statements(self, run: RunKey, rows: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
        """Keep a snapshot of pg_stat_statements."""
        from docrag_ops.hooks.history_tables import statements as table

        key = run.to_columns()
        with self.transaction() as connection:
            connection.execute(table.delete().where(*(table.c[name] == value for name, value in key.items())))
            if rows:
                connection.execute(table.insert(), [{**key, **row, "taken_at": at} for row in rows])


def _finding_columns(finding: Finding) -> dict[str, Any]:
    return {
        "check_name": finding.check,
        "subject": finding.subject,
        "verdict": finding.verdict,
        "value": finding.value,
        "unit": finding.unit,
        "limit_value": finding.limit,
        "evidence": finding.evidence,
    }
