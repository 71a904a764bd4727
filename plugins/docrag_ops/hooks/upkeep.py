"""Vacuum, analyze and rebuild, one table or index at a time, beside its readers and writers."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from docrag_ops.core.errors import StepFailedError, StepInterruptedError
from docrag_ops.core.maintenance.leftovers import why_kept
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.maintenance_relations import holders, horizon, invalid_indexes, relation
from docrag_ops.hooks.maintenance_session import APPLICATION, WorkSession, identifier, statement

ORPHAN_SECONDS = 15
COUNTED_SECONDS = 3
MANY_ROWS = 1000
log = logging.getLogger(__name__)


class Upkeep:
    """Work on tables and indexes, by the plan's steps."""

    def __init__(self, include: IncludeFolder) -> None:
        self._include = include

    def vacuum(self, session: WorkSession, oid: str, details: Mapping[str, Any]) -> str:
        """Vacuum and analyze a table.

        :raises StepInterruptedError: when the table was locked, so that nothing was done
        :raises StepFailedError: when dead rows cannot be removed, naming what holds them
        """
        from psycopg import sql

        limit = details["age_limit"]
        freeze = sql.SQL("false" if limit is None else "true")
        table = identifier(details["schema"], details["table"])
        before, after = self._around(
            session, oid, "vacuums", statement(self._include, "vacuum", table=table, freeze=freeze)
        )
        if after["dead_rows"] > before["dead_rows"] / 2 and after["dead_rows"] >= MANY_ROWS:
            raise StepFailedError(
                f"{after['dead_rows']:,.0f} dead rows cannot be removed yet; held by: {horizon(self._include)}"
            )
        if limit is not None and after["transaction_age"] >= limit:
            raise StepFailedError(
                f"its oldest row is still {after['transaction_age']:,.0f} transactions old; held by: "
                f"{horizon(self._include)}"
            )
        return f"vacuumed and analyzed, {before['dead_rows']:,.0f} dead rows before, {after['dead_rows']:,.0f} after"

    def analyze(self, session: WorkSession, oid: str, details: Mapping[str, Any]) -> str:
        """Take new statistics of a table."""
        table = identifier(details["schema"], details["table"])
        self._around(session, oid, "analyzes", statement(self._include, "analyze", table=table))
        return "analyzed"

    def _around(
        self, session: WorkSession, oid: str, counter: str, query: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The table before and after a statement that leaves out, with a mere warning, what it may not or cannot do."""
        before = self._required(oid)
        session.take_notices()
        session.run(query)
        remarks = "; ".join(session.take_notices())
        after = self._counted(oid, counter, before, silent=not remarks)
        if after[counter] <= before[counter]:
            held = holders(self._include, oid)
            what = f"nothing was done: {remarks or 'the server counted no work'}"
            if "lock" in remarks or held:
                raise StepInterruptedError(f"{what}; {held or 'nobody holds it any more'}")
            raise StepFailedError(what)
        return before, after

    def _counted(self, oid: str, counter: str, before: Mapping[str, Any], *, silent: bool) -> dict[str, Any]:
        """The table after it; a server before PostgreSQL 15 counts what was done a moment later."""
        until = time.monotonic() + COUNTED_SECONDS
        after = self._required(oid)
        while silent and after[counter] <= before[counter] and time.monotonic() < until:
            time.sleep(0.2)
            after = self._required(oid)
        return after

    def rebuild(self, session: WorkSession, oid: str, details: Mapping[str, Any]) -> str:
        """Build an index anew; what an interrupted attempt left is dropped before.

        :raises StepInterruptedError: naming who holds the table; nothing of it is left then
        """
        state = self._required(oid)
        name = (str(details["schema"]), str(details["index"]))
        try:
            self.drop_leftovers_of(session, name)
            session.run(statement(self._include, "rebuild", index=identifier(*name)))
        except StepInterruptedError as error:
            held = holders(self._include, state["table_oid"])
            raise StepInterruptedError(f"{error}" + (f"; in its way: {held}" if held else "")) from error
        return "built anew beside the old one"

    def drop_leftovers_of(self, session: WorkSession, index: tuple[str, str]) -> None:
        """Drop what interrupted rebuilds of this very index left."""
        for left in invalid_indexes(self._include):
            ours = left.twin == index[1] and left.schema_name == index[0]
            if not why_kept(left, frozenset({index} if ours else ())) and ours:
                log.info("Dropping %s, which an interrupted rebuild left", left.label)
                self.drop_index(session, left.schema_name, left.index_name)

    def drop_index(self, session: WorkSession, schema: str, name: str) -> str:
        """Drop an index beside its table's readers and writers."""
        session.run(statement(self._include, "drop_index", index=identifier(schema, name)))
        return "dropped"

    def end_orphans(self, session: WorkSession) -> int:
        """End the sessions of an earlier, killed task, and wait until they are gone; how many there were."""
        query = statement(self._include, "our_orphans")
        first = session.rows(query, {"application": APPLICATION})
        left, until = first, time.monotonic() + ORPHAN_SECONDS
        while left:
            if time.monotonic() >= until:
                raise StepFailedError(f"sessions of a killed task do not end: {[row['pid'] for row in left]}")
            time.sleep(0.1)
            left = session.rows(query, {"application": APPLICATION})
        return len(first)

    def _required(self, oid: str) -> dict[str, Any]:
        state = relation(self._include, oid)
        if state is None:
            raise StepFailedError("it is gone: somebody dropped it meanwhile")
        return state
