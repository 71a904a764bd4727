"""The restore drill: the newest dump of each series, restored on the scratch server and held against the live system.

Nothing is restored before it is known that the scratch server is another one than the live system's, and that the
dump stays inside its database. What could be found out until an error is kept.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from docrag_ops.core.backup_sections import BackupSeries, RestoreSection
from docrag_ops.core.backups.dump_scan import runnable, scan
from docrag_ops.core.backups.errors import DamagedError, UnreadableError
from docrag_ops.core.backups.examined import Examined
from docrag_ops.core.backups.restored import (
    Restored,
    TableRows,
    error_of,
    is_about_what_is_not_there,
    is_the_dumps_fault,
    missing,
    other_versions,
)
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.core.texts import one_line
from docrag_ops.hooks.backups import BackupStorage
from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.postgres_programs import Deadline, run_sql
from docrag_ops.hooks.scratch import ScratchHook
from docrag_ops.hooks.scratch_database import ScratchDatabase
from docrag_ops.operators.examining import sql_chunks, still_written

if TYPE_CHECKING:
    from psycopg import Connection

log = logging.getLogger(__name__)

QUESTION_SECONDS = 600
MINUTE_SECONDS = 60
SERVER, EXTENSIONS, TABLES = (f"restore/{name}.sql" for name in ("server", "extensions", "extension_tables"))
OBJECTS, LIVE_ROWS = "restore/objects.sql", "restore/live_rows.sql"


@dataclass(frozen=True, kw_only=True)
class Live:
    """The live system, as it was asked before the drill."""

    server: Mapping[str, Any]
    extensions: list[dict[str, Any]]
    objects: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    written_until: Any
    trouble: str


class RestoreDrill:
    """Restores dumps one after the other; each into a database of its own that is dropped afterwards."""

    def __init__(self, section: RestoreSection, include: IncludeFolder, zone: tzinfo) -> None:
        self._section, self._include, self._zone = section, include, zone
        self._storage, self._scratch = BackupStorage(), ScratchHook()
        self._live = self._ask_live()
        self._scratch_major = self._require_another_server()
        self._scratch.sweep()

    def _ask_live(self) -> Live:
        """What is compared with; read before the restore, as rows are added meanwhile."""
        with DatabaseHook().session() as session:

            def rows(name: str) -> list[dict[str, Any]]:
                return session.rows(self._include.query("sql", name), {}, name=name)

            until, trouble = None, ""
            if self._section.appended:
                try:
                    until = session.rows(_newest(self._section), {}, name="(the newest row)")[0]["newest"]
                except CouldNotMeasureError as error:
                    trouble = f"{error}. The role of docrag_postgres needs SELECT on this column"
            return Live(
                server=rows(SERVER)[0],
                extensions=rows(EXTENSIONS),
                objects=rows(OBJECTS),
                rows=rows(LIVE_ROWS),
                written_until=until,
                trouble=trouble,
            )

    def _require_another_server(self) -> int:
        """Refuse to restore on the server that the dumps came from, or on a replica of it.

        :raises UnreachableError: then nothing at all is restored.
        """
        scratch = self._scratch.row(self._include.query("sql", SERVER))
        live = self._live.server["system_identifier"]
        if not live or scratch.get("system_identifier") == live:
            raise UnreachableError(
                f"docrag_postgres_scratch leads to the live server or a replica of it (system identifier {live}): "
                "nothing is restored there"
            )
        return int(scratch["major"])

    def restore(self, one: Examined, series: BackupSeries) -> Restored:
        """Restore the newest dump of a series and find out what is in it."""
        found = Restored(
            series=one.series, file_name=one.file_name, span=one.newest.span if one.newest else None
        )
        if one.newest is None:
            found.problem = f"there is none: no file is named like {one.pattern}"
            return found
        deadline = Deadline(self._section.time_limit_minutes * MINUTE_SECONDS)
        try:
            self._read_first(found, series, deadline)
            if not found.problem:
                self._restore(found, series, deadline)
        except DamagedError as error:
            found.problem = still_written(self._storage, one.newest.file)
            found.failure = "" if found.problem else str(error)
        except (UnreadableError, CouldNotMeasureError) as error:
            found.problem = str(error)
        except Exception as error:  # one dump that ends as nobody foresaw must not take the others with it
            log.exception("%s could not be restored", found.file_name)
            found.problem = f"unexpected {type(error).__name__}: {one_line(str(error))}"
        return found

    def _read_first(self, found: Restored, series: BackupSeries, deadline: Deadline) -> None:
        """The whole dump, before anything of it is run."""
        found.scan = scan(self._text(found, series, deadline))
        dumped = found.scan.server_major
        if found.scan.refused:
            found.problem = found.scan.refusal()
        elif dumped and dumped > self._scratch_major:
            found.problem = (
                f"it is of PostgreSQL {dumped}, the scratch server is {self._scratch_major}: needs {dumped}"
            )

    def _text(self, found: Restored, series: BackupSeries, deadline: Deadline) -> Any:
        text, _ = sql_chunks(self._storage.chunks(found.file_name), series, self._zone, deadline)
        return text

    def _restore(self, found: Restored, series: BackupSeries, deadline: Deadline) -> None:
        began = time.monotonic()
        with self._scratch.database(
            encoding=self._live.server["encoding"],
            collate=self._live.server["collate"],
            ctype=self._live.server["ctype"],
            extensions=self._live.extensions,
            tables=self._include.query("sql", TABLES),
        ) as scratch:
            text = runnable(self._text(found, series, deadline))
            code, said = run_sql(text, scratch.variables(seconds=deadline.seconds), deadline)
            if code and is_the_dumps_fault(said):
                self._require_same_extensions(scratch, said)
                raise DamagedError(f"psql ended with {error_of(said)}")
            if code:
                raise CouldNotMeasureError(f"psql ended with {code}: {error_of(said) or 'it said nothing'}")
            self._prove(found, scratch)
            found.seconds = time.monotonic() - began

    def _require_same_extensions(self, scratch: ScratchDatabase, said: str) -> None:
        """Refuse to blame the dump for the lack of what another version of an extension may have.

        :raises CouldNotMeasureError: names the versions.
        """
        if not is_about_what_is_not_there(said):
            return
        with scratch.session(seconds=QUESTION_SECONDS) as session:
            asked = session.execute(self._include.query("sql", EXTENSIONS).encode(), {})
            found = {name: version for name, _, version in asked.fetchall()}
        others = other_versions({one["name"]: one["version"] for one in self._live.extensions}, found)
        if others:
            raise CouldNotMeasureError(f"psql ended with {error_of(said)}; {'; '.join(others)}")

    def _prove(self, found: Restored, scratch: ScratchDatabase) -> None:
        """Each question for itself: one without an answer leaves the others standing."""
        import psycopg
        from psycopg.rows import dict_row

        with scratch.session(seconds=QUESTION_SECONDS) as session:
            session.row_factory = dict_row
            for name, question in {
                "objects": self._prove_objects,
                "rows": self._prove_rows,
                "appended": self._prove_appended,
                "question": self._prove_question,
            }.items():
                try:
                    question(found, session)
                except psycopg.Error as error:
                    said = " ".join(str(error).split())
                    found.trouble[name] = f"the restored database did not answer: {said}"

    def _prove_objects(self, found: Restored, session: Connection[Any]) -> None:
        query = self._include.query("sql", OBJECTS)
        restored = session.execute(query.encode(), {}).fetchall()
        brought = found.scan.extensions if found.scan else ()
        found.missing = missing(self._live.objects, restored, extensions=brought)

    def _prove_rows(self, found: Restored, session: Connection[Any]) -> None:
        found.rows = [_counted(row, session) for row in self._live.rows]

    def _prove_appended(self, found: Restored, session: Connection[Any]) -> None:
        if self._section.appended is None:
            return
        if self._live.trouble:
            found.trouble["appended"] = self._live.trouble
            return
        row = session.execute(_newest(self._section).encode(), {}).fetchone()
        found.written_until = (row["newest"] if row else None, self._live.written_until)

    def _prove_question(self, found: Restored, session: Connection[Any]) -> None:
        if self._section.question:
            query = self._include.query("sql", self._section.question.sql)
            rows = session.execute(query.encode(), {}).fetchall()
            found.answer = " ".join(str(value) for row in rows for value in row.values())


def _counted(row: Mapping[str, Any], session: Connection[Any]) -> TableRows:
    import psycopg
    from psycopg import sql

    live = None if row["is_unknown"] else float(row["rows"])
    count = sql.SQL("SELECT count(*) AS rows FROM {}").format(sql.Identifier(row["schema"], row["name"]))
    try:
        counted = session.execute(count).fetchone()
    except psycopg.errors.UndefinedTable:
        return TableRows(table=row["subject"], restored=0, live=live)
    except psycopg.Error as error:
        return TableRows(table=row["subject"], restored=None, live=live, problem=" ".join(str(error).split()))
    return TableRows(table=row["subject"], restored=counted["rows"] if counted else None, live=live)


def _newest(section: RestoreSection) -> str:
    """The question for the newest row's time, in the session's zone, which is UTC."""
    from psycopg import sql

    if section.appended is None:
        raise ValueError("there is no table that rows are only added to")
    schema, _, table = section.appended.table.partition(".")
    column = sql.Identifier(section.appended.column)
    query = sql.SQL("SELECT max({})::timestamptz AS newest FROM {}").format(
        column, sql.Identifier(schema, table)
    )
    return query.as_string().replace("%", "%%")
