"""The application log, written as the container runtime would: into the files of the API's pods, in turn."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LARGEST_BYTES = 10 * 2**20
LOOK_AGAIN_SECONDS = 5


class PodLines:
    """Lines behind the runtime's time stamp, in the logs of a workload's pods in turn; dropped without pods."""

    def __init__(self, pods: Path, workload: str) -> None:
        self._pods = pods
        self._workload = workload
        self._files: list[Path] = []
        self._looked = 0.0
        self._turn = 0

    def append(self, text: str) -> None:
        file = self._next_file()
        if file is None:
            return
        stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
        with file.open("a") as out:
            out.write(f"{stamp} {text}\n")
            if out.tell() > LARGEST_BYTES:  # as the kubelet rotates
                file.replace(file.with_suffix(".log.1"))

    def _next_file(self) -> Path | None:
        if time.monotonic() - self._looked > LOOK_AGAIN_SECONDS:
            folders = sorted(self._pods.glob(f"doc-rag-prod/{self._workload}-*/logs"))
            self._files = [folder / f"{self._workload}.log" for folder in folders]
            self._looked = time.monotonic()
        self._turn += 1
        return self._files[self._turn % len(self._files)] if self._files else None


class PodLogs(PodLines):
    """The API's: one JSON line per event."""

    def __init__(self, pods: Path) -> None:
        super().__init__(pods, "api")

    def write(self, level: str, message: str, **details: Any) -> None:
        self.append(json.dumps({"level": level, "message": message, **details}))
