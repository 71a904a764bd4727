"""What `df` inside a pod says about a volume.

Source: POSIX `df -P`, one line per path; `-i` for inodes (not POSIX, but in GNU coreutils and most busyboxes).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Space:
    """Total and available units (1024-byte blocks or inodes) of the file system below a path."""

    mounted_on: str
    total: int
    available: int

    @property
    def free_ratio(self) -> float:
        """Free share, 0-1, of what a process without privileges may use."""
        return self.available / self.total


def parse_df(text: str) -> Space:
    """Parse the answer of `df -P -k PATH` or `df -P -i PATH`: a heading and one line.

    :raises ValueError: quoting the text when it is anything else.
    """
    lines = text.strip().splitlines()
    if len(lines) == 2:
        # The file system's name may hold spaces; the five columns behind it may not, but for the mount point.
        columns = lines[1].split()
        for position in range(1, len(columns) - 4):
            numbers, share = columns[position : position + 3], columns[position + 3]
            # What is available is negative when root has used up the blocks that are reserved for it.
            counted = all(number.lstrip("-").isdecimal() or number == "-" for number in numbers)
            if counted and numbers[0] != "-" and (share.endswith("%") or share == "-"):
                # "-" is what the file system does not count, such as CephFS its free inodes.
                total, available = (0, 0) if "-" in numbers else (int(numbers[0]), int(numbers[2]))
                return Space(mounted_on=" ".join(columns[position + 4 :]), total=total, available=available)
    raise ValueError(f"df answered {text[:300]!r}; expected a heading and one line about a file system")
