"""The spool: alarms in files, while the history database is down.

A folder below Airflow's base log folder, so that services that share the log volume share it. A file per alarm, named
by its key, written under another name first: it is there whole or not at all. The same alarm is the same file.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docrag_ops.core.alarms import LEASE, Alarm, Claimed, Waiting, retry_after
from docrag_ops.core.errors import UnreachableError

log = logging.getLogger(__name__)

FOLDER = "docrag-alarms"
LOCK_SECONDS = 5.0


def spool_folder() -> Path:
    """Where this machine's services keep alarms that the history could not take."""
    from airflow.sdk.configuration import conf

    return Path(conf.get("logging", "base_log_folder")).expanduser() / FOLDER


class AlarmSpool:
    """Keeps alarms as the outbox does, in files."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or spool_folder()

    def record(self, alarm: Alarm) -> None:
        """Keep an alarm, unless it is kept already. Never waits for anybody."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self._write_partial(_entry(alarm))
        try:
            os.link(partial, self._path(alarm))
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not self._path(alarm).exists():
                partial.replace(self._path(alarm))
        partial.unlink(missing_ok=True)

    def record_delivered(self, alarm: Alarm, *, channels: Sequence[str]) -> None:
        """Keep that an alarm was delivered when the history could not be told so, in its file if it has one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            path = self._path(alarm)
            entry = next((entry for other, entry in self._entries() if other == path), _entry(alarm))
            now = datetime.now(UTC).isoformat()
            self._replace(path, {**entry, "channels": list(channels), "delivered_at": now})

    def forget(self, alarm: Alarm) -> None:
        """The history has it after all."""
        self._path(alarm).unlink(missing_ok=True)

    def claim(self, alarm: Alarm | None = None) -> Claimed | None:
        """Take an alarm for five minutes: this one, or the oldest that is due; None when nobody has to be told."""
        now, token = time.time(), uuid.uuid4().hex
        with self._locked():
            for path, entry in self._entries():
                held = entry.get("claimed_until", 0) > now or entry.get("delivered_at")
                wanted = path == self._path(alarm) if alarm else entry["next_try_at"] <= now
                if held or not wanted:
                    continue
                entry |= {"claimed_by": token, "claimed_until": now + LEASE.total_seconds()}
                entry["tries"] += 1
                self._replace(path, entry)
                return Claimed(
                    alarm=Alarm.from_dict(entry["alarm"]),
                    token=token,
                    tries=entry["tries"],
                    channels=tuple(entry["channels"]),
                )
        return None

    def make_due(self) -> None:
        """Everything that waits is tried again now: somebody asked for it."""
        with self._locked():
            for path, entry in self._entries():
                self._replace(path, {**entry, "next_try_at": 0})

    def delivered(self, claimed: Claimed, *, channels: Sequence[str], message: str) -> None:
        """Every channel took it; the file stays until the history can be told."""
        now = datetime.now(UTC).isoformat()
        self._close(claimed, {"delivered_at": now, "channels": list(channels), "last_error": ""})

    def put_back(self, claimed: Claimed, *, channels: Sequence[str], error: str) -> None:
        """Some channel did not take it; it is tried again later."""
        later = time.time() + retry_after(claimed.tries).total_seconds()
        self._close(claimed, {"next_try_at": later, "channels": list(channels), "last_error": error})

    def waiting(self) -> list[Waiting]:
        """What nobody was told yet, the oldest first."""
        return [
            Waiting(
                alarm=Alarm.from_dict(entry["alarm"]),
                tries=entry["tries"],
                last_error=entry.get("last_error", ""),
                claimed=entry.get("claimed_until", 0) > time.time(),
            )
            for _, entry in self._entries()
            if not entry.get("delivered_at")
        ]

    def drain(self, record: Callable[..., None], *, most: int = 500) -> int:
        """Hand what is kept here to the history, but for what is being sent just now; returns how many.

        :param record: `AlarmOutbox.record`; what it raises ends this, and the rest stays.
        """
        count = 0
        with self._locked():
            for path, entry in self._entries()[:most]:
                if entry.get("claimed_until", 0) > time.time():
                    continue
                sent = entry.get("delivered_at")
                record(
                    Alarm.from_dict(entry["alarm"]),
                    tries=entry["tries"],
                    channels=entry["channels"],
                    delivered_at=datetime.fromisoformat(sent) if sent else None,
                    last_error=entry.get("last_error", ""),
                )
                path.unlink()
                count += 1
        return count

    def _close(self, claimed: Claimed, values: dict[str, Any]) -> None:
        with self._locked():
            for path, entry in self._entries():
                if entry.get("claimed_by") == claimed.token:
                    self._replace(path, {**entry, "claimed_by": "", "claimed_until": 0, **values})

    def _entries(self) -> list[tuple[Path, dict[str, Any]]]:
        """Every file and what is in it, the oldest alarm first."""
        found = []
        for path in self.folder.glob("*.json"):
            try:
                found.append((path, json.loads(path.read_text(encoding="utf-8"))))
            except FileNotFoundError:  # drained in the meantime
                continue
            except ValueError:
                log.exception("An alarm cannot be read; look at %s and remove it", path)
        return sorted(found, key=lambda one: one[1]["alarm"]["happened_at"])

    def _path(self, alarm: Alarm) -> Path:
        """The alarm's file; without a clear number that of the same run, where there is one."""
        if alarm.clear_number is None:
            same = {"kind": str(alarm.kind), "dag_id": alarm.dag_id, "run_id": alarm.run_id}
            for path, entry in self._entries():
                if same.items() <= entry["alarm"].items():
                    return path
        return self.folder / f"{alarm.file_name}.json"

    def _replace(self, path: Path, entry: dict[str, Any]) -> None:
        self._write_partial(entry).replace(path)

    def _write_partial(self, entry: dict[str, Any]) -> Path:
        partial = self.folder / f"{uuid.uuid4().hex}.partial"
        with partial.open("w", encoding="utf-8") as file:
            json.dump(entry, file)
            file.flush()
            os.fsync(file.fileno())
        return partial

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Only one process at a time reads and changes entries.

        :raises UnreachableError: when another one holds the lock for longer than five seconds.
        """
        if not self.folder.is_dir():
            yield
            return
        with (self.folder / "lock").open("a") as lock:
            deadline = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise UnreachableError(
                            f"The spool of alarms in {self.folder} is in use for more than {LOCK_SECONDS:g} s"
                        ) from None
                    time.sleep(0.05)
            yield


def _entry(alarm: Alarm) -> dict[str, Any]:
    return {"alarm": alarm.to_dict(), "tries": 0, "channels": [], "next_try_at": 0}
