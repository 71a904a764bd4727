"""What was found in the newest file of a series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from docrag_ops.core.backups.configuration import ConfigurationBackup
from docrag_ops.core.backups.dump_scan import DumpScan
from docrag_ops.core.backups.names import Candidate, StoredFile
from docrag_ops.core.backups.qdrant import QdrantBackup


@dataclass(frozen=True, kw_only=True)
class Content:
    """What reading a whole file came to.

    `damage`: why it is bad. `unreadable`: why it cannot be judged here. `made_at` is the time inside it, `made_by` what
    says so. `checksum_differs` is None where there is nothing to compare with, else how they differ, or nothing.
    """

    damage: str = ""
    unreadable: str = ""
    evidence: str = ""
    made_at: datetime | None = None
    made_by: str = ""
    checksum_differs: str | None = None
    scan: DumpScan | None = None
    qdrant: QdrantBackup | None = None
    configuration: ConfigurationBackup | None = None


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A series: its newest file with what is in it, and the files before it, newest first.

    `is_sql`: the time inside such a dump is known after it was restored only.
    """

    series: str
    pattern: str
    newest: Candidate | None
    earlier: tuple[StoredFile, ...] = ()
    is_sql: bool = False
    content: Content = Content()

    @property
    def file_name(self) -> str:
        """The newest file's name."""
        return self.newest.file.name if self.newest else ""


def why_not(one: Examined) -> str:
    """Why nothing can be said about the newest file."""
    if one.newest is None:
        return f"there is no backup: no file is named like {one.pattern}"
    return f"{one.file_name}: {one.content.damage or one.content.unreadable}"
