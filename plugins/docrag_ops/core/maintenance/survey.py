"""All that was seen of a database before its maintenance is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from docrag_ops.core.maintenance.bloat import Bloat
from docrag_ops.core.maintenance.facts import IndexFacts, InvalidIndex, Part, TableFacts
from docrag_ops.core.maintenance.policy import Retention

COLUMN_TYPES = ("timestamp with time zone", "timestamp without time zone", "date")


@dataclass(frozen=True, kw_only=True)
class RetentionSeen:
    """A policy's table: its parts with what was counted in them, or what was in the way.

    :param local_cutoff: the cutoff of a column without a zone
    :param dropping: parts that were detached by an earlier, killed run and have still to be dropped
    :param problems: (part, what was in the way there alone)
    """

    policy: Retention
    cutoff: datetime
    local_cutoff: str = ""
    parts: tuple[Part, ...] = ()
    dropping: tuple[Part, ...] = ()
    problem: str = ""
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def eligible(self) -> int:
        """Rows that may go."""
        return sum(part.eligible for part in self.parts)

    @property
    def share(self) -> float:
        """Which share of the table's rows that is."""
        rows = sum(max(part.live_rows, part.eligible) for part in self.parts)
        return self.eligible / rows if rows else 0.0


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was seen.

    :param server: the settings of server_settings.sql that are numbers
    :param not_ours: oid → owner, of tables that this role may not maintain
    :param bloat: oid → bloat, of the indexes whose bloat is known
    :param started: schema and name of the indexes whose rebuild this project recorded starting
    :param not_known: (index, why its bloat is not known)
    :param free_bytes: room on the data folder's volume; None when nobody says where to ask
    :param no_room_known: why the room could not be had, where somebody says where to ask
    :param problems: (subject, what could not be seen there)
    """

    tables: Sequence[TableFacts]
    server: Mapping[str, float]
    not_ours: Mapping[str, str] = field(default_factory=dict)
    retention: Sequence[RetentionSeen] = ()
    indexes: Sequence[IndexFacts] = ()
    bloat: Mapping[str, Bloat] = field(default_factory=dict)
    invalid: Sequence[InvalidIndex] = ()
    started: AbstractSet[tuple[str, str]] = frozenset()
    not_known: Sequence[tuple[str, str]] = ()
    free_bytes: float | None = None
    no_room_known: str = ""
    problems: Sequence[tuple[str, str]] = ()


def why_not_deleted_from(row: Mapping[str, object] | None, policy: Retention) -> str:
    """What is wrong with a policy's table (a row of retention_table.sql), naming it; empty when nothing is.

    It is told instead of deleting too much: from a view, by a column that is not there, or through other tables.
    """
    if row is None:
        return "there is no such table"
    known = ", ".join(str(name) for name in _list(row["columns"]))
    hold = policy.legal_hold.column if policy.legal_hold else None
    held_by_flag = hold and not (policy.legal_hold and policy.legal_hold.values)
    wrong = {
        "it is no table (a view, a foreign table or a sequence)": row["kind"] not in ("r", "p"),
        f"it has no column {policy.column!r}, only {known}": row["column_type"] is None,
        f"it has no column {hold!r} for the legal hold, only {known}": bool(hold)
        and row["hold_type"] is None,
        f"its column {hold!r} is {row['hold_type']}; without values a legal hold is a boolean": bool(
            held_by_flag and row["hold_type"] not in (None, "boolean")
        ),
        f"its column {policy.column!r} is {row['column_type']}; expected a timestamp or a date": row[
            "column_type"
        ]
        not in (None, *COLUMN_TYPES),
        f"the role {row['role']} may not maintain it and delete its rows; it belongs to {row['owner']}": not row[
            "has_rights"
        ],
        f"deleting from it would change other tables: {_joined(row['cascades'])}": bool(row["cascades"]),
        f"a rule turns DELETE into something else: {_joined(row['rules'])}": bool(row["rules"]),
    }
    return next((text for text, is_so in wrong.items() if is_so), "")


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _joined(value: object) -> str:
    return ", ".join(str(one) for one in _list(value))
