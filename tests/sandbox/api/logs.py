"""The application log, written as the container runtime would: into the files of the API's pods, in turn."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LARGEST_BYTES = 10 * 2**20
LOOK_AGAIN_SECONDS = 5


class PodLogs:
    """One JSON line per event, behind the runtime's time stamp. Without pods, lines are dropped."""

    def __init__(self, pods: Path) -> None:
        self._pods = pods
        self._files: list[Path] = []
        self._looked = 0.0
        self._turn = 0

    def write(self, level: str, message: str, **details: Any) -> None:
        file = self._next_file()
        if file is None:
            return
        now = datetime.now(UTC)
        event = json.dumps({"level": level, "message": message, **details})
        stamp = f"{now:%Y-%m-%dT%H:%M:%S.%f}000Z"
        with file.open("a") as out:
            out.write(f"{stamp} {event}\n")
            if out.tell() > LARGEST_BYTES:  # as the kubelet rotates
                file.replace(file.with_suffix(".log.1"))

    def _next_file(self) -> Path | None:
        if time.monotonic() - self._looked > LOOK_AGAIN_SECONDS:
            folders = sorted(self._pods.glob("doc-rag-prod/api-*/logs"))
            self._files = [folder / "api.log" for folder in folders]
            self._looked = time.monotonic()
        self._turn += 1
        return self._files[self._turn % len(self._files)] if self._files else None
