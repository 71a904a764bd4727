"""The settings of the PostgreSQL server under maintenance: read, set by ALTER SYSTEM, read back, probed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from docrag_ops.core.errors import ChangeError, CouldNotMeasureError, UnreachableError
from docrag_ops.core.tuning.probes import Probed
from docrag_ops.core.tuning.values import Setting, same, waits_for_reload
from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.include import IncludeFolder

READS, CHANGES = "docrag_postgres", "docrag_postgres_change"
SINCE_17 = 170000
TAKES_EFFECT_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 0.1
FILE_RIGHTS = (
    "GRANT SELECT ON pg_file_settings and GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() to the role of "
    "docrag_postgres_change"
)


class DatabaseSettings:
    """Settings by the Connection `docrag_postgres_change`; counters and the probe by `docrag_postgres`."""

    def __init__(self, include: IncludeFolder) -> None:
        self._include = include

    def facts(self) -> dict[str, Any]:
        """One row of include/sql/tuning/facts.sql.

        :raises CouldNotMeasureError: also when the two Connections lead to different servers.
        """
        with DatabaseHook(READS).session() as session:
            file = "facts_17" if session.server_version >= SINCE_17 else "facts"
            facts = self._ask(session, file)[0]
            reading = self._ask(session, "server")[0]
        with DatabaseHook(CHANGES).session() as session:
            changing = self._ask(session, "server")[0]
        if reading != changing:
            raise CouldNotMeasureError(
                f"{READS} leads to a server that was started at {reading['started']}, {CHANGES} to one that was "
                f"started at {changing['started']}; expected the same server"
            )
        return facts

    def settings(self, names: Sequence[str]) -> dict[str, Setting]:
        """Settings by name, as new sessions get them; names that the server does not know are left out.

        :raises CouldNotMeasureError: without the right to see the configuration files.
        """
        with DatabaseHook(CHANGES).session() as session:
            rows = self._ask(session, "settings", names=list(names))
            try:
                lines = self._ask(session, "settings_in_file")
            except CouldNotMeasureError as error:
                raise CouldNotMeasureError(f"{error}. {FILE_RIGHTS}") from error
        in_file = {line["name"]: line["value"] for line in lines if line["automatic"]}
        return {
            row["name"]: Setting(
                **{**row, "choices": tuple(row["choices"])}, in_file=in_file.get(row["name"], "")
            )
            for row in rows
        }

    def mistakes(self) -> list[str]:
        """Lines of the configuration files that the server could not use, but for those that wait for a restart."""
        with DatabaseHook(CHANGES).session() as session:
            lines = self._ask(session, "settings_in_file")
        return [
            f"{line['sourcefile']}, line {line['sourceline']}: {line['name']} {line['error']}"
            for line in lines
            if line["error"] and "without restarting" not in line["error"]
        ]

    def unloaded(self) -> list[str]:
        """What somebody wrote into the files and has not loaded: any reload brings it into effect, ours too."""
        with DatabaseHook(CHANGES).session() as session:
            lines = [line for line in self._ask(session, "settings_in_file") if line["applied"]]
        settings = self.settings([line["name"] for line in lines])
        return [
            f"{line['name']} = {line['value']} ({line['sourcefile']}, line {line['sourceline']})"
            for line in lines
            if waits_for_reload(settings.get(line["name"]), line["value"])
        ]

    def set(self, name: str, value: str | None) -> Setting:
        """Have the server use a value, None for what its other files say, and read back that it does.

        :raises ChangeError: when ALTER SYSTEM or the reload is refused, or the value does not take effect.
        """
        from psycopg import sql

        file = "reset" if value is None else "set"
        _, text = self._include.query("sql", f"tuning/{file}.sql").split("\n", 1)  # an error shows no comment
        with DatabaseHook(CHANGES).session() as session:
            session.change(sql.SQL(text.strip()).format(name=sql.Identifier(name), value=sql.Literal(value)))
            try:
                self._ask(session, "reload")
            except CouldNotMeasureError as error:
                raise ChangeError(
                    f"{name} is written, but the files could not be reloaded: {error}"
                ) from error
        return self._read_back(name, value)

    def _read_back(self, name: str, value: str | None) -> Setting:
        """The setting as a new session gets it, once the server has read its files again."""
        until = time.monotonic() + TAKES_EFFECT_SECONDS
        while True:
            setting = self.settings([name])[name]
            if value is None and not setting.in_file:
                return setting
            if value is not None and same(setting, setting.value, value):
                return setting
            if time.monotonic() > until:
                mistakes = "; ".join(self.mistakes()) or "pg_file_settings shows no error"
                raise ChangeError(
                    f"{name} is still {setting.value} {TAKES_EFFECT_SECONDS:.0f} s after the reload; expected {value} "
                    f"({'a restart is pending; ' if setting.pending_restart else ''}{mistakes})"
                )
            time.sleep(LOOK_AGAIN_SECONDS)

    def probe(self, query: str, repeats: int) -> Probed:
        """Ask a known question so often, each time in a new session, as a client does that just came."""
        text = self._include.query("sql", query)
        seconds, errors, refused = [], 0, 0
        for _ in range(repeats):
            try:
                with DatabaseHook(READS).session() as session:
                    began = time.monotonic()
                    session.rows(text, {}, name=query)
                    seconds.append(time.monotonic() - began)
            except UnreachableError:
                refused += 1
            except CouldNotMeasureError:
                errors += 1
        return Probed(seconds=seconds, errors=errors, refused=refused)

    def _ask(self, session: Any, name: str, **parameters: object) -> list[dict[str, Any]]:
        file = f"tuning/{name}.sql"
        rows: list[dict[str, Any]] = session.rows(self._include.query("sql", file), parameters, name=file)
        return rows
