"""psql and pg_restore as processes: argument lists, passwords by their environment only, an end within a time limit."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from docrag_ops.core.backups.errors import DamagedError, UnreadableError
from docrag_ops.core.errors import CouldNotMeasureError

PIECE_BYTES = 512 * 1024
SAID_BYTES = 16 * 1024
AS_TEXT = (
    *("--file=-", "--exit-on-error", "--no-owner", "--no-privileges", "--no-tablespaces"),
    *("--no-publications", "--no-subscriptions", "--no-security-labels"),
)
RUN = ("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=verbose")
# Since these minor versions psql can be told to take no commands of its own (CVE-2025-8714).
RESTRICTABLE = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
_NOT_READABLE = re.compile(
    r"unsupported version|not built with|built without|compression is not supported|unrecognized option",
    re.IGNORECASE,
)


class Deadline:
    """A time limit for several processes together."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self._ends_at = seconds, time.monotonic() + seconds

    @property
    def left_seconds(self) -> float:
        """Never 0, which would mean no limit to some."""
        return max(0.1, self._ends_at - time.monotonic())

    @property
    def has_passed(self) -> bool:
        return time.monotonic() >= self._ends_at


def find_program(name: str) -> str:
    """The newest program of this name: on PATH, or where Debian keeps those of each version.

    :raises CouldNotMeasureError: when there is none.
    """
    by_version = [
        path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if path.parts[-3].isdigit()
    ]
    newest = max(by_version, key=lambda path: int(path.parts[-3]), default=None)
    found = str(newest) if newest else shutil.which(name)
    if not found:
        raise CouldNotMeasureError(
            f"There is no {name} on this worker; install PostgreSQL's client programs, of the server's version or newer"
        )
    return found


def sql_of_custom_dump(chunks: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    """A dump in custom format as the SQL that would restore it; all of its data is read and unpacked.

    :raises DamagedError: when pg_restore cannot read it to its end.
    :raises UnreadableError: when this pg_restore is too old for it.
    :raises CouldNotMeasureError: when there is no pg_restore, or it does not end in time.
    """
    command = [find_program("pg_restore"), *AS_TEXT]
    with _Process(command, {}, deadline, stdout=subprocess.PIPE) as process:
        feeder = _Feeder(chunks, process.stdin)
        try:
            while piece := process.stdout.read(PIECE_BYTES):
                yield piece
            code = process.wait()
        finally:
            process.kill()
            feeder.join()
        if feeder.error:
            raise feeder.error
        if code:
            said = process.said()
            kind = UnreadableError if _NOT_READABLE.search(said) else DamagedError
            raise kind(f"pg_restore ended with {code}: {said}")


def run_sql(chunks: Iterable[bytes], variables: Mapping[str, str], deadline: Deadline) -> tuple[int, str]:
    """Have psql run a text; returns its exit code and what it complained about.

    Where psql can, it is told to take no commands of its own: nothing in the text can make it run a program.

    :param variables: PGHOST, PGPASSWORD and so on.
    """
    command = [find_program("psql"), *RUN]
    with _Process(command, variables, deadline, stdout=subprocess.DEVNULL) as process:
        try:
            if _can_be_restricted(command[0]):
                process.stdin.write(f"\\restrict {secrets.token_hex(16)}\n".encode())
            for chunk in chunks:
                process.stdin.write(chunk)
            process.stdin.close()
        except BrokenPipeError:
            pass  # psql has ended at an error; its exit code and its words say which
        return process.wait(), process.said()


def _can_be_restricted(psql: str) -> bool:
    said = subprocess.run([psql, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    found = re.search(r"(\d+)(?:\.(\d+))?", said)
    if not found:
        return False
    major, minor = int(found[1]), int(found[2] or 0)
    return major >= 18 or minor >= RESTRICTABLE.get(major, 1_000_000)


class _Process:
    """A program that ends with the block, and is killed at the deadline."""

    stdin: IO[bytes]
    stdout: IO[bytes]

    def __init__(
        self, command: list[str], variables: Mapping[str, str], deadline: Deadline, **streams: Any
    ) -> None:
        self._name, self._deadline = Path(command[0]).name, deadline
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed at the end of the block)
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        surroundings = {**kept, "LC_ALL": "C.UTF-8", "PGPASSFILE": os.devnull, **variables}
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=self._said, env=surroundings, **streams
        )
        self.stdin, self.stdout = self._child.stdin, self._child.stdout  # type: ignore[assignment]
        self._timer = threading.Timer(deadline.left_seconds, self._child.kill)
        self._timer.daemon = True

    def __enter__(self) -> _Process:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._said.close()

    def kill(self) -> None:
        """End it, if it has not ended by itself; its pipes are closed afterwards."""
        self._timer.cancel()
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue

    def wait(self) -> int:
        """Its exit code.

        :raises CouldNotMeasureError: when it did not end in time.
        """
        try:
            code = self._child.wait(self._deadline.left_seconds + 5)
        except subprocess.TimeoutExpired:
            code = -9
        if code < 0 and self._deadline.has_passed:
            raise CouldNotMeasureError(f"{self._name} did not end within {self._deadline.seconds:,.0f} s")
        if code < 0:
            raise CouldNotMeasureError(f"{self._name} was killed by signal {-code}")
        return code

    def said(self) -> str:
        """The end of what it wrote to its standard error, on one line."""
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - SAID_BYTES))
        return " ".join(self._said.read().decode("utf-8", "replace").split())


class _Feeder(threading.Thread):
    """Writes a stream into a process while its output is read; keeps the error that the stream ended with."""

    def __init__(self, chunks: Iterable[bytes], stdin: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._chunks, self._stdin = chunks, stdin
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        """Write all of it."""
        try:
            for chunk in self._chunks:
                self._stdin.write(chunk)
        except (BrokenPipeError, ValueError) as error:
            # The process ended first, which its exit code tells; but a damaged stream is a ValueError, too.
            self.error = error if isinstance(error, DamagedError | UnreadableError) else None
        except Exception as error:  # noqa: BLE001 (raised again by who reads the output)
            self.error = error
        finally:
            try:
                self._stdin.close()
            except (BrokenPipeError, ValueError):
                self.error = self.error
