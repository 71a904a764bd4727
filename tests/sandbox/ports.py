"""Which ports of this machine are taken, and by whom (read from /proc, no tool needed)."""

import dataclasses
import os
import time
from collections.abc import Mapping
from pathlib import Path

from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import variable

LISTEN = "0A"
ENDING_SECONDS = 10


@dataclasses.dataclass(frozen=True)
class Holder:
    """The process behind a listening port; pid 0 when /proc does not show it to us."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.command})" if self.pid else "a process of another user"


def listening_inodes() -> dict[int, str]:
    """Listening TCP port → socket inode, IPv4 and IPv6."""
    found: dict[int, str] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN:
                found[int(fields[1].rpartition(":")[2], 16)] = fields[9]
    return found


def listening_ports() -> set[int]:
    return set(listening_inodes())


def holder(inode: str) -> Holder:
    """The process that has the socket with this inode open."""
    target = f"socket:[{inode}]"
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) == target for fd in (folder / "fd").iterdir()):
                command = (
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                )
                return Holder(int(folder.name), command[:160])
        except OSError:  # gone in the meantime, or another user's
            continue
    return Holder(0, "")


def check_ports_are_free(wanted: Mapping[str, int]) -> None:
    """Refuse when a foreign process holds a port we need. `wanted`: setting → port, of parts not running.

    A holder that is not seen gets a moment: a process that was killed shows its files no more, and still has them.
    """
    until = time.monotonic() + ENDING_SECONDS
    while _held_by_nobody(wanted) and time.monotonic() < until:
        time.sleep(0.1)
    inodes = listening_inodes()
    busy = [
        f"port {port} is in use by {holder(inodes[port])}; "
        f"stop that process, or choose another port with {variable(setting)}=..."
        for setting, port in wanted.items()
        if port in inodes
    ]
    twice = [
        f"port {port} is wanted by {variable(one)} and by {variable(other)}; give them different ports"
        for one, port in wanted.items()
        for other, other_port in wanted.items()
        if port == other_port and one < other
    ]
    if busy or twice:
        raise SandboxError("\n".join(busy + twice))


def _held_by_nobody(wanted: Mapping[str, int]) -> bool:
    inodes = listening_inodes()
    return any(port in inodes and not holder(inodes[port]).pid for port in wanted.values())
