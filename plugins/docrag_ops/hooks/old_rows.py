"""The old rows of one table: counted, found and deleted by statements of one batch each, whatever its key is.

Keys travel as text, which every type can be read from. What somebody has locked is skipped, and what somebody has
changed meanwhile is looked at again before it is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.maintenance_session import WorkSession, identifier, statement, type_name

if TYPE_CHECKING:
    from psycopg.sql import Composable, Composed

Key = tuple[str, ...]


class OldRows:
    """The rows of a table that are beyond its retention, as the plan's step describes them."""

    def __init__(self, include: IncludeFolder, details: Mapping[str, Any]) -> None:
        self._include = include
        self._details = details
        self._keys: list[str] = list(details["keys"] or [])
        self._types: list[str] = list(details["key_types"] or [])
        self.table = identifier(details["schema"], details["table"])
        self.label = f"{details['schema']}.{details['table']}"
        self.export: str | None = details["export"]
        self.share = float(details.get("share", 0))
        self.triggers: list[str] = list(details.get("triggers", ()))
        self.is_referenced = bool(details.get("referenced_by"))

    def count(self, session: WorkSession) -> dict[str, int]:
        """`eligible`, `held`, `referenced` and `undated` rows."""
        row = session.rows(self._statement("eligible"), self._parameters())[0]
        return {name: int(value) for name, value in row.items()}

    def keeps(self, session: WorkSession) -> bool:
        """Whether the table holds a row that may not go."""
        return bool(session.rows(self._statement("rows_to_keep"), self._parameters())[0]["keeps"])

    def next_end(self, session: WorkSession, after: Key | None, rows: int) -> Key | None:
        """The key of the last of the next rows, old or not, from behind a key on; None when fewer are left."""
        query = self._statement("next_end", **self._found_by_key(after))
        found = session.rows(query, {**self._parameters(), **_key("after", after), "rows": rows})
        return tuple(found[0].values()) if found else None

    def delete_range(self, session: WorkSession, after: Key | None, upto: Key | None) -> int:
        """Delete the old rows from behind a key up to another one, or to the end; how many went.

        What is locked is skipped.

        Locking every row to see whether it is locked costs as much as deleting it: that is done only where a plain
        DELETE meets a lock.
        """
        from psycopg import sql

        parts = {
            "after": self._beyond(">", "after") if after else sql.SQL("true"),
            "upto": self._beyond("<=", "upto") if upto else sql.SQL("true"),
        }
        parameters = {**self._parameters(), **_key("after", after), **_key("upto", upto)}
        deleted = session.run_unless_locked(self._statement("delete_range", **parts), parameters)
        if deleted is None:
            deleted = session.run_patiently(self._statement("delete_range_skipping", **parts), parameters)
        return deleted

    def next_keys(self, session: WorkSession, after: Key | None, rows: int) -> list[Key]:
        """Keys of rows that may go, in order, from behind a key on; nothing is locked."""
        if not self._keys:
            return []
        query = self._statement("next_keys", **self._found_by_key(after))
        found = session.rows(query, {**self._parameters(), **_key("after", after), "rows": rows})
        return [tuple(row.values()) for row in found]

    def _found_by_key(self, after: Key | None) -> dict[str, Composable]:
        """The parts of a statement that answers keys as text, in their order, from behind one."""
        from psycopg import sql

        text = [
            sql.SQL("t.{}::text AS {}").format(identifier(key), sql.SQL(f"k{number}"))
            for number, key in enumerate(self._keys)
        ]
        behind = self._beyond(">", "after") if after else sql.SQL("true")
        return {"keys": self._columns(), "keys_as_text": _listed(text), "after": behind}

    def _columns(self) -> Composed:
        from psycopg import sql

        return _listed([sql.SQL("t.{}").format(identifier(name)) for name in self._keys])

    def _beyond(self, operator: str, name: str) -> Composed:
        """The key compared with that of the parameters NAME0, NAME1 …"""
        from psycopg import sql

        values = [
            sql.SQL("{}::{}").format(sql.Placeholder(f"{name}{number}"), type_name(kind))
            for number, kind in enumerate(self._types)
        ]
        return sql.SQL("({}) {} ({})").format(self._columns(), sql.SQL(operator), _listed(values))

    @property
    def has_key(self) -> bool:
        """Whether its rows can be told apart by a unique key."""
        return bool(self._keys)

    def delete_keys(self, keys: list[Key]) -> tuple[Composed, dict[str, object]]:
        """The statement that deletes the rows of these keys, and its parameters."""
        from psycopg import sql

        names = [sql.SQL(f"k{number}") for number in range(len(self._keys))]
        arrays = [
            sql.SQL("{}::text[]::{}[]").format(sql.Placeholder(f"keys{number}"), type_name(kind))
            for number, kind in enumerate(self._types)
        ]
        match = [
            sql.SQL("t.{} = k.{}").format(identifier(column), name)
            for column, name in zip(self._keys, names, strict=True)
        ]
        query = self._statement(
            "delete_batch",
            arrays=_listed(arrays),
            names=_listed(names),
            match=sql.SQL(" AND ").join(match),
        )
        columns = zip(*keys, strict=True)
        return query, {
            **self._parameters(),
            **{f"keys{number}": list(column) for number, column in enumerate(columns)},
        }

    def delete_pages(self, first: int, last: int) -> tuple[Composed, dict[str, object]]:
        """The statement that deletes the rows on these pages, and its parameters."""
        return self._statement("delete_pages"), {**self._parameters(), "first_page": first, "last_page": last}

    def pages(self, session: WorkSession) -> int:
        """How many pages the table has."""
        query = statement(self._include, "table_pages")
        return int(session.rows(query, {"oid": self._details["oid"]})[0]["pages"])

    def as_json(self) -> Composed:
        """What makes a deleting statement return its rows."""
        return statement(self._include, "as_json")

    def _statement(self, name: str, **parts: Composable) -> Composed:
        from psycopg import sql

        hold, values = self._details["hold_column"], self._details["hold_values"]
        if hold is None:
            held: Composable = sql.SQL("true" if self._details["all_held"] else "false")
        elif values:
            held = sql.SQL("coalesce(t.{}::text = ANY (%(held)s::text[]), false)").format(identifier(hold))
        else:
            held = sql.SQL("coalesce(t.{}, false)").format(identifier(hold))
        return statement(
            self._include,
            name,
            table=self.table,
            column=identifier(self._details["column"]),
            type=type_name(self._details["type"]),
            hold=held,
            free=sql.SQL(" AND ").join([sql.SQL("NOT {}").format(held), *self._not_pointed_to()]),
            is_referenced=sql.SQL("true" if self.is_referenced else "false"),
            **parts,
        )

    def _not_pointed_to(self) -> list[Composable]:
        """For each foreign key that would not let a row go: that no row points to it."""
        from psycopg import sql

        return [
            statement(
                self._include,
                "not_pointed_to",
                table=identifier(one["schema"], one["table"]),
                match=sql.SQL(" AND ").join(
                    sql.SQL("r.{} = t.{}").format(identifier(theirs), identifier(ours))
                    for theirs, ours in one["pairs"]
                ),
            )
            for one in self._details.get("referenced_by", ())
        ]

    def _parameters(self) -> dict[str, object]:
        """The cutoff: a time, or what the wall's clock showed where the column has no zone."""
        with_zone = self._details["type"].endswith("with time zone")
        return {
            "cutoff": self._details["cutoff" if with_zone else "local_cutoff"],
            "held": list(self._details["hold_values"]),
        }


def _key(name: str, key: Key | None) -> dict[str, object]:
    return {f"{name}{number}": value for number, value in enumerate(key or ())}


def _listed(parts: Sequence[Composable]) -> Composed:
    from psycopg import sql

    return sql.SQL(", ").join(parts)
