"""Files as `find` and `stat` inside a pod list them, with every name exact.

A name is bytes; here it is text with each byte that is no UTF-8 as a lone surrogate (`surrogateescape`), which JSON
carries and which turns back into the same bytes. It is shown with `shown_name`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from docrag_ops.core.texts import one_line

PRINTF = "%y %D %i %n %s %b %T@\\0%p\\0"
"""For GNU find's -printf."""
STAT = "%f %d %i %h %s %b %y"
"""For `stat -c` of GNU and busybox, behind a -print0 of the name; %y is the only time with nanoseconds both have."""

PART = ".docrag-part"
"""Ends the names of what a compression makes on its way: a second name of the original, and its archive with .gz."""

_FACTS = re.compile(rb"([a-zA-Z?]) (\d+) (\d+) (\d+) (\d+) (\d+) (-?\d+)(?:\.(\d+))?")
_STAT_LINE = re.compile(
    rb"([0-9a-f]+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))? ([+-]\d{4})\n"
)
_FORMATS = {0x8000: "f", 0x4000: "d", 0xA000: "l"}
_BLOCK_BYTES = 512


class Kind(StrEnum):
    """What a name stands for."""

    FILE = "f"
    FOLDER = "d"
    SYMLINK = "l"
    OTHER = "?"


@dataclass(frozen=True, kw_only=True)
class LogFile:
    """One name below a root. `used_bytes` is what it takes on the disk, `size_bytes` what can be read from it."""

    path: str
    kind: Kind
    device: int
    inode: int
    links: int
    size_bytes: int
    used_bytes: int
    mtime_ns: int

    @property
    def folder(self) -> str:
        """The path up to its last slash."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The path behind its last slash."""
        return self.path.rpartition("/")[2]

    @property
    def identity(self) -> tuple[int, int]:
        """What stays when a file is renamed."""
        return self.device, self.inode

    def fingerprint(self) -> dict[str, str]:
        """What must still be so when something is done to it."""
        return {
            "device": str(self.device),
            "inode": str(self.inode),
            "size": str(self.size_bytes),
            "mtime_ns": str(self.mtime_ns),
        }


def shown_name(path: str) -> str:
    r"""A path for a person: on one line, control characters and bytes that are no UTF-8 as escapes.

    >>> shown_name("/var/log/new\nline \udcff")
    '/var/log/new\\nline \\xff'
    """
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return one_line(text)


def is_utf8(path: str) -> bool:
    """Whether the name is UTF-8, and so arrives unchanged as an argument of an exec.

    The API server and the kubelet carry any byte, but container runtimes keep the command as JSON (the OCI process
    specification), where a byte that is no UTF-8 becomes U+FFFD: the command would get another file's name.
    """
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def parse_printf(output: bytes) -> list[LogFile]:
    """What `find … -printf PRINTF` wrote.

    :raises ValueError: quoting what is not as PRINTF asks for.
    """
    words = output.split(b"\0")
    if words.pop() or len(words) % 2:
        raise ValueError(f"find wrote an incomplete list that ends with {output[-100:]!r}")
    return [_from_printf(facts, path) for facts, path in zip(words[::2], words[1::2], strict=True)]


def _from_printf(facts: bytes, path: bytes) -> LogFile:
    found = _FACTS.fullmatch(facts)
    if not found:
        raise ValueError(f"find wrote {facts[:100]!r} about {path[:100]!r}; expected kind, numbers and time")
    device, inode, links, size, blocks = (int(found[number]) for number in range(2, 7))
    return LogFile(
        path=path.decode("utf-8", "surrogateescape"),
        kind=_kind(found[1].decode()),
        device=device,
        inode=inode,
        links=links,
        size_bytes=size,
        used_bytes=blocks * _BLOCK_BYTES,
        mtime_ns=int(found[7]) * 10**9 + _nanoseconds(found[8]),
    )


def parse_print0_stat(output: bytes) -> list[LogFile]:
    """What `find … -print0 -exec stat -c STAT {} ;` wrote: a name up to NUL, then a line, or none if it vanished.

    :raises ValueError: quoting what is neither.
    """
    return list(_from_stat(output))


def _from_stat(output: bytes) -> Iterator[LogFile]:
    position = 0
    while position < len(output):
        end = output.find(b"\0", position)
        if end < 0:
            raise ValueError(f"find wrote an incomplete list that ends with {output[-100:]!r}")
        path, position = output[position:end], end + 1
        if not path.startswith(b"/"):
            raise ValueError(f"find wrote {path[:100]!r}; expected an absolute path")
        found = _STAT_LINE.match(output, position)
        if not found:
            if position < len(output) and output[position : position + 1] != b"/":
                raise ValueError(f"stat wrote {output[position : position + 100]!r} about {path[:100]!r}")
            continue
        position = found.end()
        mode, (device, inode, links, size, blocks) = int(found[1], 16), (int(found[n]) for n in range(2, 7))
        moment = datetime.strptime(f"{found[7].decode()} {found[9].decode()}", "%Y-%m-%d %H:%M:%S %z")
        yield LogFile(
            path=path.decode("utf-8", "surrogateescape"),
            kind=_kind(_FORMATS.get(mode & 0xF000, "?")),
            device=device,
            inode=inode,
            links=links,
            size_bytes=size,
            used_bytes=blocks * _BLOCK_BYTES,
            mtime_ns=int(moment.timestamp()) * 10**9 + _nanoseconds(found[8]),
        )


def parse_identities(output: bytes) -> frozenset[tuple[int, int]]:
    """Device and inode, one pair per line: the files that processes hold open.

    :raises ValueError: quoting a line that is no pair.
    """
    try:
        pairs = [tuple(map(int, line.split(b" "))) for line in output.splitlines()]
        return frozenset((device, inode) for device, inode in pairs)
    except ValueError as error:
        raise ValueError(f"expected lines of device and inode, not {output[:100]!r}") from error


def used_bytes(files: list[LogFile]) -> int:
    """What files take on the disk, one with several names once, as `du` counts."""
    return sum({file.identity: file.used_bytes for file in files}.values())


def _kind(letter: str) -> Kind:
    return Kind(letter) if letter in "fdl" else Kind.OTHER


def _nanoseconds(digits: bytes | None) -> int:
    return int((digits or b"")[:9].ljust(9, b"0"))
