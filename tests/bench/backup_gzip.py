"""backup_gzip: verifying a dump of 520 MB in SQL text, packed by gzip, against `gunzip -t` of the same file.

Ours does what check_backups does: unpack it to its end, check its checksums, cut the text into statements and rows,
look for what would leave the database, and find pg_dump's own end. In a warm process, whose memory is flat when a
hundred times as large a dump costs next to no more.
"""

import dataclasses
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, compare
from tests.sandbox.settings import REPOSITORY

NAME, GOAL = "backup_gzip", 0.45
DUMP_BYTES, SMALL_BYTES, BLOCK_BYTES = 520_000_000, 5_000_000, 8_000_000
GROWTH_GOAL_MB = 20
ROUNDS = 5
FILES = "docrag-%Y%m%d.sql.gz"
LARGE, SMALL = "docrag-20260102.sql.gz", "docrag-20260101.sql.gz"
HEAD = b"--\n-- PostgreSQL database dump\n--\n\nSET standard_conforming_strings = on;\n"
TABLE = b"CREATE TABLE public.vectors (\n    id bigint,\n    chunk text,\n    checksum text\n);\n"
COPY = b"COPY public.vectors (id, chunk, checksum) FROM stdin;\n"
END = b"\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n"


def measure() -> Figure:
    with tempfile.TemporaryDirectory(prefix="docrag-bench-") as folder, verifying(Path(folder)) as verify:
        large = Path(folder) / LARGE
        write_dump(Path(folder) / SMALL, SMALL_BYTES)
        small = verify(SMALL)
        write_dump(large, DUMP_BYTES)
        figure = compare(
            NAME,
            GOAL,
            ours=lambda: float(verify(LARGE)["seconds"]),
            theirs=lambda: gunzip(large),
            rounds=ROUNDS,
            unit="seconds",
            also={"packed_mb": round(large.stat().st_size / 1e6), "unpacked_mb": round(DUMP_BYTES / 1e6)},
        )
        growth = round(verify(LARGE)["peak_mb"] - small["peak_mb"], 1)
    details = {**figure.details, "growth_mb": growth, "growth_goal_mb": GROWTH_GOAL_MB}
    return dataclasses.replace(figure, details=details, within=growth <= GROWTH_GOAL_MB)


def write_dump(path: Path, size: int) -> None:
    """Rows as of text and checksums; a block of them again and again, far beyond what gzip looks back."""
    source = random.Random(1)
    words = [
        "".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(3, 9))) for _ in range(3000)
    ]
    rows, length = [], 0
    while length < min(BLOCK_BYTES, size):
        text = " ".join(source.choices(words, k=18))
        rows.append(f"{source.randrange(10**9)}\t{text}\t{source.getrandbits(128):032x}\n".encode())
        length += len(rows[-1])
    block = b"".join(rows)
    with (
        path.open("wb") as packed,
        subprocess.Popen(["gzip", "-c"], stdin=subprocess.PIPE, stdout=packed) as gzip,
    ):
        assert gzip.stdin is not None
        gzip.stdin.write(HEAD + TABLE + COPY)
        for _ in range(max(1, size // len(block))):
            gzip.stdin.write(block)
        gzip.stdin.write(END)
        gzip.stdin.close()
    if gzip.returncode:
        raise RuntimeError(f"gzip ended with {gzip.returncode}")


def gunzip(path: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["gunzip", "-t", str(path)], check=True)
    return time.perf_counter() - began


@contextmanager
def verifying(folder: Path) -> Iterator[Callable[[str], dict[str, Any]]]:
    """A function that has a warm process verify one of the dumps; its answer is that of `answer`."""
    connection = {"conn_type": "fs", "extra": {"path": str(folder)}}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")},
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW_CONN_DOCRAG_BACKUPS": json.dumps(connection),
        "PYTHONPATH": str(REPOSITORY / "plugins"),
    }
    command = [sys.executable, "-m", "tests.bench.backup_gzip"]
    with subprocess.Popen(
        command, env=environment, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def ask(name: str) -> dict[str, Any]:
            print(name, file=child.stdin, flush=True)
            for line in child.stdout:
                if line.startswith("{"):
                    found: dict[str, Any] = json.loads(line)
                    return found
            raise RuntimeError("The process that verifies the dump ended; its error is above")

        yield ask
        child.stdin.close()


def answer() -> None:
    """Verify the dumps that are named, one a line."""
    from docrag_ops.core.backup_sections import BackupSeries, BackupsSection
    from docrag_ops.core.backups.names import candidates
    from docrag_ops.hooks.backups import BackupStorage
    from docrag_ops.operators.examining import examined, listed

    series = BackupSeries(part="postgres", files=FILES, format="plain")
    section = BackupsSection(series={"bench": series})
    for name in map(str.strip, sys.stdin):
        began, storage = time.perf_counter(), BackupStorage()
        files = storage.files()
        (newest,) = (one for one in candidates(files, FILES, zone=section.zone) if one.file.name == name)
        one = dataclasses.replace(listed(section, files)["bench"], newest=newest)
        content = examined(one, series, storage, files, section).content
        seconds = time.perf_counter() - began
        if content.damage or content.unreadable or not (content.scan and content.scan.is_complete):
            raise RuntimeError(f"the dump is not whole: {content}")
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(json.dumps({"seconds": seconds, "peak_mb": peak_mb}), flush=True)


if __name__ == "__main__":
    answer()
