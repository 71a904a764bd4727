"""Log files inside a pod, listed and changed by the pod's own tools: GNU's or busybox'.

Commands are argument lists. `find` runs one program after the other on a file, each only when the one before
succeeded, and only while the file is still the one that was meant: no shell, and no time between look and deed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docrag_ops.core.errors import ChangeError, CouldNotMeasureError
from docrag_ops.core.logs.files import (
    PART,
    PRINTF,
    STAT,
    Kind,
    LogFile,
    is_utf8,
    parse_identities,
    parse_print0_stat,
    parse_printf,
    shown_name,
)
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.pod_commands import PodName, RawResult

LIST_SECONDS = 120.0
COMPRESS_SECONDS = 600.0
NO_PRINTF = b"-printf"
VANISHED = b"No such file or directory"
OPEN_FILES = (
    *("find", "-L", "/proc", "-mindepth", "1", "-maxdepth", "3"),
    *("-path", "/proc/[0-9]*/fd/*", "-type", "f"),
)
ELSEWHERE = (
    *("-o", "-path", "/proc/[0-9]*/*", "!", "-name", "fd", "-prune"),
    *("-o", "!", "-path", "/proc/[0-9]*", "-prune"),
)


class PodFiles:
    """The files of one pod's container."""

    def __init__(self, hook: ClusterHook, pod: PodName, container: str) -> None:
        self._hook, self._pod, self._container = hook, pod, container

    def list(self, roots: Sequence[str]) -> list[LogFile]:
        """Everything below the roots, on their own file systems; no symlink is followed.

        :raises CouldNotMeasureError: when the list would not be whole, a root is no folder, or the pod lacks `find`
            and `stat`.
        """
        base = ["find", *roots, "-xdev"]
        done = self._run([*base, "-printf", PRINTF], seconds=LIST_SECONDS)
        parse = parse_printf
        if done.exit_code and NO_PRINTF in done.stderr and not done.stdout:
            done = self._run([*base, "-print0", "-exec", "stat", "-c", STAT, "{}", ";"], seconds=LIST_SECONDS)
            parse = parse_print0_stat
        self._refuse_complaints("list", done)
        try:
            files = parse(done.stdout)
        except ValueError as error:
            raise CouldNotMeasureError(f"Cannot list files in {self._where}: {error}") from error
        folders = {file.path for file in files if file.kind is Kind.FOLDER}
        if missing := [root for root in roots if root not in folders]:
            raise CouldNotMeasureError(
                f"Cannot list files in {self._where}: there is no folder {', '.join(missing)} (or it is a symlink)"
            )
        return files

    def open_files(self) -> tuple[frozenset[tuple[int, int]], str]:
        """Device and inode of what processes of the pod hold open; and why some may be missing, or nothing.

        It sees the processes of the pod's own PID namespace only, and of other users only as root.
        """
        done = self._run([*OPEN_FILES, "-printf", "%D %i\\n", *ELSEWHERE])
        if done.exit_code and NO_PRINTF in done.stderr and not done.stdout:
            done = self._run([*OPEN_FILES, "-exec", "stat", "-L", "-c", "%d %i", "{}", "+", *ELSEWHERE])
        try:
            found = parse_identities(done.stdout)
        except ValueError as error:
            return frozenset(), str(error)
        complaints = [
            line for line in done.stderr.splitlines() if VANISHED not in line and b"loop" not in line
        ]
        return found, complaints[0].decode("utf-8", "replace") if complaints else ""

    def look(self, path: str) -> LogFile | None:
        """One file as it is now; None when there is none.

        :raises CouldNotMeasureError: when it cannot be looked at.
        """
        require_utf8(path)
        done = self._run(["find", path, "-maxdepth", "0", "-print0", "-exec", "stat", "-c", STAT, "{}", ";"])
        if not done.stdout and VANISHED in done.stderr:
            return None
        self._refuse_complaints("look at", done)
        try:
            return next(iter(parse_print0_stat(done.stdout)), None)
        except ValueError as error:
            raise CouldNotMeasureError(
                f"Cannot look at {shown_name(path)} in {self._where}: {error}"
            ) from error

    def delete(self, file: LogFile) -> None:
        """Remove this very file: still regular, and of the same inode and size when `rm` gets its name.

        :raises ChangeError: when it is not removed.
        """
        self._do(file, [["rm", "-f", "--", "{}"]])

    def compress(self, file: LogFile) -> LogFile:
        """Make a tested archive of a file, then remove the file; returns the archive.

        gzip works on a second name of the file, so that whatever a kill leaves half-done has a name of ours and the
        original its own. The archive gets its final name only when no other file has it, or an equal one. The second
        name goes last: what a writer adds until then is seen, and the file gets its own name back.

        :raises ChangeError: when the file is kept, and why.
        """
        path, part = file.path, file.path + PART
        self._tidy(path)
        self._do(
            file,
            [
                ["ln", "-T", "{}", part],
                ["gzip", "-k", "-f", "-n", "--", part],
                ["gzip", "-t", "--", part + ".gz"],
                ["touch", "-r", "{}", part + ".gz"],
            ],
        )
        try:
            self._check_size(file, part + ".gz")
            is_new = self.look(path + ".gz") is None
            # An archive that is there already is of a compression that was killed, and equal; or it is not ours.
            place = ["ln", "-T"] if is_new else ["cmp", "-s"]
            self._do(file, [[*place, part + ".gz", path + ".gz"], ["rm", "-f", "--", "{}"]])
        except (ChangeError, CouldNotMeasureError):
            self._tidy(path)
            raise
        try:
            self._do(replace(file, path=part), [["rm", "-f", "--", part + ".gz", "{}"]])
        except ChangeError:
            self._put_back(path)
            raise
        archive = self.look(path + ".gz")
        if archive is None:
            raise ChangeError(f"{shown_name(path)}.gz in {self._where} is gone right after it was made")
        return archive

    def _put_back(self, path: str) -> None:
        """Give a file that was written to while it was compressed its name back; its archive is not all of it."""
        self._run(["ln", "-T", "--", path + PART, path])
        if self.look(path) is not None:
            self._run(["rm", "-f", "--", path + ".gz"])
            self._tidy(path)

    def is_whole_archive(self, path: str) -> bool:
        """Whether gzip finds the archive undamaged."""
        return self._run(["gzip", "-t", "--", path], seconds=COMPRESS_SECONDS).exit_code == 0

    def require_gzip(self) -> None:
        """Find out before anything is planned whether there is a gzip.

        :raises CouldNotMeasureError: when there is none.
        """
        self._run(["gzip", "-h"])

    def _tidy(self, path: str) -> None:
        """Remove what a compression of this file made on its way, while the file has its own name."""
        self._run(["rm", "-f", "--", path + PART, path + PART + ".gz"])

    def _check_size(self, file: LogFile, archive: str) -> None:
        """The archive's own record of the uncompressed size (its last four bytes, modulo 2^32) is the file's."""
        done = self._run(["tail", "-c", "4", "--", archive])
        if int.from_bytes(done.stdout, "little") != file.size_bytes % 2**32 or len(done.stdout) != 4:
            raise ChangeError(f"{shown_name(file.path)}: the archive is of another size than the file")

    def _do(self, file: LogFile, commands: Sequence[Sequence[str]]) -> None:
        """Run commands on a file while it is what was planned, in order, each if the one before succeeded."""
        require_utf8(file.path)
        same = ["-maxdepth", "0", "-type", "f", "-inum", str(file.inode), "-size", f"{file.size_bytes}c"]
        steps = [word for command in commands for word in ("-exec", *command, ";")]
        done = self._run(["find", file.path, *same, *steps, "-print0"], seconds=COMPRESS_SECONDS)
        if done.stdout.rstrip(b"\0").endswith(file.path.encode()):
            return
        why = done.stderr.decode("utf-8", "replace").strip() or "it is not the file that was planned any more"
        doing = ", ".join(command[0] for command in commands)
        raise ChangeError(f"{doing} {shown_name(file.path)} in {self._where}: {why[:500]}")

    def _refuse_complaints(self, what: str, done: RawResult) -> None:
        """Only that a file went away meanwhile is no reason to doubt a list."""
        complaints = [line for line in done.stderr.splitlines() if VANISHED not in line]
        if complaints or (done.exit_code and not done.stderr):
            said = complaints[0].decode("utf-8", "replace") if complaints else f"exit code {done.exit_code}"
            raise CouldNotMeasureError(f"Cannot {what} files in {self._where}: {said[:500]}")

    def _run(self, command: Sequence[str], *, seconds: float = LIST_SECONDS) -> RawResult:
        return self._hook.run_raw(self._pod, self._container, command, seconds=seconds)

    @property
    def _where(self) -> str:
        return f"{self._pod.namespace}/{self._pod.name}, container {self._container!r}"


def require_utf8(path: str) -> None:
    """Refuse a name that no exec can carry; see `is_utf8`."""
    if not is_utf8(path):
        raise ChangeError(f"{shown_name(path)}: its name is not UTF-8 and cannot be carried by an exec")
