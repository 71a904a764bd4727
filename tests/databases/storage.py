"""A storage with backups made for a test, and what the check tasks make of them."""

from __future__ import annotations

import gzip
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from docrag_ops.core.backup_sections import BackupSeries
from docrag_ops.core.findings import Finding
from docrag_ops.core.judging import judge
from docrag_ops.core.verdicts import Verdict
from docrag_ops.operators.asking import Asking, ask_all
from tests.asking import asking_for
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import MAINTAINED, Server
from tests.sandbox.programs import postgres_program
from tests.sandbox.settings import Settings

NAMES = {"custom": "docrag-%Y%m%d.dump", "plain": "docrag-%Y%m%d.sql.gz"}


class Storage:
    """A folder that `docrag_backups` leads to, and an environment with one series in it."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings

    def put(self, kind: str, content: bytes, *, age: timedelta = timedelta(0)) -> Path:
        """Keep a dump under the name that the job gives it today, or so long ago."""
        at = datetime.now(UTC) - age
        path = self.folder / f"{at:{NAMES[kind]}}"
        path.write_bytes(content)
        os.utime(path, (at.timestamp(), at.timestamp()))
        return path

    def asking(self, kind: str, database: str = "docrag", **restore: Any) -> Asking:
        """An environment whose only series is of this kind."""
        asking = asking_for("backups")
        section = asking.environment.backups
        assert section is not None
        assert section.restore is not None
        series = BackupSeries.model_validate({"part": "postgres", "files": NAMES[kind], "format": kind})
        changed = section.restore.model_copy(update={"database": database, **restore})
        backups = section.model_copy(update={"series": {"postgres": series}, "restore": changed})
        environment = asking.environment.model_copy(update={"backups": backups})
        return replace(asking, environment=environment, now=datetime.now(UTC))

    def found(self, area: str, kind: str, **options: Any) -> list[Finding]:
        """Everything bad that the check task of an area finds; the first run of its history."""
        asking = self.asking(kind, **options)
        checks = asking.include.checks(area)
        answers = ask_all(checks, asking)
        judged = [
            judge(
                check,
                answers[check.name],
                limits=asking.environment.limits_of(check),
                history={},
                now=asking.now,
            )
            for check in checks
        ]
        return [one for result in judged for one in result.findings if one.verdict is not Verdict.OK]

    def verdicts(self, area: str, kind: str, **options: Any) -> dict[str, str]:
        """The bad checks of an area with their verdict; `backup_kept` apart, as there is one backup only."""
        bad = {one.check: str(one.verdict) for one in self.found(area, kind, **options)}
        bad.pop("backup_kept", None)
        return bad


def pg_dump(
    settings: Settings, *options: str, database: str = "docrag", server: Server = MAINTAINED
) -> bytes:
    """What pg_dump, run by the superuser, writes."""
    command = [postgres_program("pg_dump"), *options, database]
    return _output(settings, command, server)


def pg_dumpall(settings: Settings) -> bytes:
    """All databases but the one of the tests of queries, whose name has a line break: pg_dumpall gives up there."""
    return _output(settings, [postgres_program("pg_dumpall"), '--exclude-database="He said"*'], MAINTAINED)


def _output(settings: Settings, command: list[str], server: Server) -> bytes:
    surroundings = {
        **os.environ,
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port(settings)),
        "PGUSER": "postgres",
        "PGPASSWORD": passwords(settings)[server.superuser_secret],
    }
    return subprocess.run(command, env=surroundings, capture_output=True, check=True, timeout=60).stdout


def packed(text: bytes, *, at: datetime | None = None) -> bytes:
    """As gzip packs what comes through a pipe: without a time, unless one is given."""
    return gzip.compress(text, compresslevel=1, mtime=int(at.timestamp()) if at else 0)
