"""Commands under bubblewrap: the machine's programs, the pod's folders, and nothing else that can be written."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = "/opt/sandbox/bin"  # where the workload's own executables appear
PATH = f"{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
READ_ONLY = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
SETTINGS = (
    "passwd", "group", "hosts", "nsswitch.conf", "resolv.conf", "localtime", "ld.so.cache", "alternatives",
    "postgresql-common", "perl", "ssl/certs",
)  # fmt: skip
# Where a root without any capability could still change the machine: bubblewrap itself covers these only when
# the folder is writable, and /proc/sys is not, while the files in it are.
KERNEL = (
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/proc/irq",
    "/proc/bus",
    "/proc/fs",
    "/proc/acpi",
    "/proc/scsi",
)
# What a container's root may do to its own files; nothing of what could reach the machine.
CAPABILITIES = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER")


class IsolationUnavailableError(Exception):
    """Bubblewrap is missing or may not make namespaces here: nothing is run then."""


@dataclass(frozen=True)
class Cell:
    """What one pod's commands see: folders of this machine by their path inside, and its own programs."""

    hostname: str
    folders: dict[str, Path]
    programs: Path

    def command(self, argv: list[str]) -> list[str]:
        wrapped = ["bwrap", "--die-with-parent", "--new-session", "--hostname", self.hostname]
        wrapped += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        for path in READ_ONLY:
            if os.path.islink(path):
                wrapped += ["--symlink", os.readlink(path), path]
            else:
                wrapped += ["--ro-bind-try", path, path]
        for name in SETTINGS:
            wrapped += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        wrapped += ["--proc", "/proc"]
        for path in KERNEL:
            if os.path.exists(path):
                wrapped += ["--ro-bind", path, path]
        wrapped += ["--dev", "/dev", "--tmpfs", "/run", "--tmpfs", "/root"]
        for inside, folder in self.folders.items():
            wrapped += ["--bind", str(folder), inside]
        wrapped += ["--ro-bind-try", str(self.programs), PROGRAMS, "--remount-ro", "/", "--chdir", "/"]
        if os.geteuid() == 0:
            wrapped += ["--cap-drop", "ALL"]
            for capability in CAPABILITIES:
                wrapped += ["--cap-add", capability]
        return [*wrapped, "--", *argv]

    def problem_with(self, program: str) -> str:
        """Why this program cannot be started, as the container runtime words it; empty when it can."""
        if "/" not in program:
            found = any(self._is_executable(f"{folder}/{program}") for folder in PATH.split(":"))
            return "" if found else "executable file not found in $PATH"
        outside = self._outside(program)
        if not outside.exists():
            return f"stat {program}: no such file or directory"
        return "" if self._is_executable(program) else "permission denied"

    def _is_executable(self, inside: str) -> bool:
        outside = self._outside(inside)
        return outside.is_file() and os.access(outside, os.X_OK)

    def _outside(self, inside: str) -> Path:
        """Where a path inside is on this machine; what is not shown inside is nowhere."""
        shown = {PROGRAMS: self.programs, **self.folders} | {path: Path(path) for path in READ_ONLY}
        for prefix, folder in shown.items():
            if inside == prefix or inside.startswith(prefix + "/"):
                return folder / inside[len(prefix) :].lstrip("/")
        return Path("/nonexistent") / inside.lstrip("/")


async def require(cell: Cell) -> None:
    """Prove that bubblewrap isolates on this machine, by running `true` in the very cell."""
    if shutil.which("bwrap") is None:
        raise IsolationUnavailableError("bwrap is not installed; install the package bubblewrap")
    process = await asyncio.create_subprocess_exec(
        *cell.command(["true"]),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    if process.returncode != 0:
        text = complaint.decode(errors="replace").strip()
        raise IsolationUnavailableError(f"bwrap cannot isolate commands on this machine: {text}")
