"""The environment's section `backups`: which backups there are, and how they are proven."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from docrag_ops.core.backups.names import compiled
from docrag_ops.core.records import Record


class BackupSeries(Record):
    """Backups of one kind, made again and again under a name with a date."""

    part: Annotated[
        Literal["postgres", "qdrant", "configuration"],
        Field(description="what is backed up, one of: postgres, qdrant, configuration"),
    ]
    files: Annotated[
        str,
        Field(
            min_length=1,
            description="a path below docrag_backups, with %Y %m %d %H %M %S for its time and * for anything but a "
            "slash, e.g. postgres/docrag-%Y%m%d.dump",
        ),
    ]
    format: Annotated[
        Literal["custom", "plain", "tar"],
        Field(description="custom (pg_dump -Fc), plain (SQL, packed or not), or tar (packed or not)"),
    ]
    collection: Annotated[
        str, Field(description="of a snapshot of one Qdrant collection: the collection's name")
    ] = ""
    is_partial: Annotated[
        bool,
        Field(description="true for snapshots of one Qdrant node of several, which have some shards only"),
    ] = False

    @model_validator(mode="after")
    def _makes_sense(self) -> BackupSeries:
        compiled(self.files)
        if (self.format == "tar") is (self.part == "postgres"):
            raise ValueError(f"format {self.format!r} is none of {self.part}")
        return self


class Appended(Record):
    """A table that rows are only added to, with their time: its newest row tells how old a restored dump is."""

    table: Annotated[
        str, Field(pattern=r"^[^.]+\.[^.]+$", description="schema and table, e.g. public.audit_logs")
    ]
    column: Annotated[str, Field(min_length=1, description="the column with the row's time, e.g. created_at")]


class RestoreQuestion(Record):
    """A query of the application, asked of the restored database."""

    sql: Annotated[str, Field(min_length=1, description="a file below include/sql/")]
    answer_contains: Annotated[str, Field(min_length=1, description="words that the right answer contains")]


class RestoreSection(Record):
    """How the newest dumps are restored on the scratch server, and what is asked there."""

    database: Annotated[str, Field(min_length=1, description="the name of the database in the dumps")]
    time_limit_minutes: Annotated[int, Field(ge=1, description="how long one restore may take, e.g. 120")] = (
        120
    )
    row_slack: Annotated[
        int, Field(ge=0, description="so many rows of a table may be missing, as it is written to meanwhile")
    ] = 100
    not_backed_up: Annotated[
        tuple[str, ...], Field(description="tables whose rows are not in the dumps, e.g. [public.cache]")
    ] = ()
    appended: Annotated[Appended | None, Field(description="a mapping with table and column")] = None
    question: Annotated[
        RestoreQuestion | None, Field(description="a mapping with sql and answer_contains")
    ] = None


class BackupsSection(Record):
    """Which backups there are, and how they are proven."""

    timezone: Annotated[
        str, Field(description="the time zone of names and of dumps' own times, e.g. Europe/Berlin")
    ] = "UTC"
    series: Annotated[
        dict[str, BackupSeries],
        Field(min_length=1, description="series by name, each with part, files, format"),
    ]
    restore: Annotated[RestoreSection | None, Field(description="a mapping with database")] = None
    qdrant_scratch: Annotated[
        str,
        Field(
            pattern="^[a-z][a-z0-9_]*$|^$",
            description="the Connection of a Qdrant that snapshots are recovered on, e.g. docrag_qdrant_scratch",
        ),
    ] = ""

    @model_validator(mode="after")
    def _zone_is_known(self) -> BackupsSection:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"timezone is {self.timezone!r}; expected a name such as UTC or Europe/Berlin"
            ) from error
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of names and of dumps' own times."""
        return ZoneInfo(self.timezone)
