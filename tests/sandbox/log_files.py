"""What the fluentd pods find in /var/log: the node's logs, of several ages and with names that scripts trip over.

Made anew, always the same but for the dates, at each `up`. A process outside the pods (as the node's other services
are) appends to one of the files; `python -m tests.sandbox.log_files FOLDER…` is that process.
"""

import gzip
import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.sandbox import processes
from tests.sandbox.settings import Settings

PART = "log-files"
DAY_SECONDS = 86_400
WRITTEN = "doc-rag/gateway.log"
WRITE_EVERY_SECONDS = 0.5

# name below /var/log: (age in days, kilobytes of text). What ends in .gz is compressed. {day} is the day it ended.
FILES: dict[str, tuple[float, int]] = {
    "doc-rag/gateway.log": (0, 40),
    "doc-rag/gateway.log.1": (0.6, 120),
    "doc-rag/gateway.log.2": (1.6, 160),
    "doc-rag/gateway.log.3": (2.6, 140),
    "doc-rag/gateway.log.4.gz": (3.6, 150),
    "doc-rag/gateway.log.5.gz": (8.6, 150),
    "doc-rag/gateway.log.6.gz": (9.6, 150),
    "nginx/access.log": (0, 60),
    "nginx/access.log-{day}": (1.2, 300),
    "nginx/error.log": (0.2, 5),
    "nginx/error.log-{day}.gz": (12, 20),
    "nginx/old.log-{day}": (11, 80),
    "nginx/old.log": (1, 3),
    "fluentd/containers.log.pos": (20, 1),
    "fluentd/nginx.pos": (20, 1),
    "audit/audit.log": (0, 10),
    "audit/audit.log.1": (30, 50),
    "installer.log.1": (40, 30),  # the newest of its family
    "installer.tar.gz": (40, 30),  # no rotation
    "pods/doc-rag-prod_api-0_5f1c/api/0.log": (0, 20),
    "pods/doc-rag-prod_api-0_5f1c/api/0.log.{day}-120000.gz": (15, 40),
    "odd/two words.log": (0, 5),
    "odd/two words.log.1": (2, 60),
    "odd/new\nline.log": (0, 5),
    "odd/new\nline.log.1": (2, 60),
    "odd/-rf.log": (0, 5),
    "odd/-rf.log.1": (2, 60),
    'odd/it\'s "quoted" $(true) `x`.log': (0, 5),
    'odd/it\'s "quoted" $(true) `x`.log.1': (9, 60),
    "odd/日本.log": (0, 5),
    "odd/日本.log.1": (9, 60),
    "odd/latin-\udce9.log": (0, 5),  # a byte that is no UTF-8
    "odd/latin-\udce9.log.1": (9, 60),
}
SYMLINKS = {
    "containers/api-0_doc-rag-prod_api-5f1c.log": "/var/log/pods/doc-rag-prod_api-0_5f1c/api/0.log",
    "doc-rag/gateway.log.9": "/var/log/installer.log.1",
}


def start(settings: Settings) -> None:
    """Make the files anew, and start the process that writes to one of them in each pod."""
    folders = pod_folders(settings)
    for number, folder in enumerate(folders):
        build(folder, seed=number)
    processes.start(
        settings,
        PART,
        [sys.executable, "-m", "tests.sandbox.log_files", *(str(folder / WRITTEN) for folder in folders)],
    )


def stop(settings: Settings) -> bool:
    return processes.stop(settings, PART)


def pod_folders(settings: Settings) -> list[Path]:
    return sorted(settings.pods_dir.glob("doc-rag-prod/fluentd-*/rootfs/var/log"))


def build(folder: Path, *, seed: int = 0, now: float | None = None) -> None:
    """Fill a pod's /var/log; whatever was there goes, but for the file that is being written, which begins anew."""
    now, source = time.time() if now is None else now, random.Random(seed)
    for old in sorted(folder.rglob("*"), reverse=True):
        if old.is_dir() and not old.is_symlink():
            if old != folder / Path(WRITTEN).parent:
                old.rmdir()
        elif old != folder / WRITTEN:
            old.unlink()
    for name, (age_days, kilobytes) in FILES.items():
        ended = now - age_days * DAY_SECONDS
        path = folder / name.format(day=f"{datetime.fromtimestamp(ended, UTC):%Y%m%d}")
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(lines(source, kilobytes * 1000, ended)).encode()
        path.write_bytes(gzip.compress(text, mtime=0) if name.endswith(".gz") else text)
        os.utime(path, (ended, ended))
    for name, target in SYMLINKS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)


def lines(source: random.Random, size_bytes: int, ended: float) -> Iterator[str]:
    """An access log, the last line written when the file ended."""
    written = 0
    while written < size_bytes:
        moment = datetime.fromtimestamp(ended - (size_bytes - written) / 10, UTC)
        line = (
            f"{moment:%Y-%m-%dT%H:%M:%S}Z INFO gateway: GET /documents/{source.randrange(5000)} 200 "
            f"{source.randrange(3, 90)}ms request_id={source.getrandbits(64):016x}\n"
        )
        written += len(line)
        yield line


def write_on(paths: list[Path]) -> None:
    """Append to each file twice a second, held open all the time as a service does."""
    files = [path.open("a", buffering=1) for path in paths]
    number = 0
    while True:
        number += 1
        for file in files:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} INFO gateway: request {number} answered\n")
        time.sleep(WRITE_EVERY_SECONDS)


if __name__ == "__main__":
    write_on([Path(argument) for argument in sys.argv[1:]])
