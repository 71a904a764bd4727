"""What /proc says of processes."""

from pathlib import Path


def start_time(pid: int) -> int | None:
    """When a process began, in ticks since boot; None when it is gone or a zombie."""
    fields = _stat(pid)
    return None if not fields or fields[0] == "Z" else int(fields[19])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (the command before them may hold brackets)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def descends_from(pid: int, ancestors: set[int]) -> bool:
    while pid > 1:
        fields = _stat(pid)
        pid = int(fields[1]) if fields else 0
        if pid in ancestors:
            return True
    return False
