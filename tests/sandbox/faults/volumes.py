"""Faults of the API's volume: really full."""

import os
import shutil

from tests.sandbox import storage
from tests.sandbox.errors import SandboxError
from tests.sandbox.faults.fault import Fault, State
from tests.sandbox.faults.monitoring import wait_for_prometheus
from tests.sandbox.settings import Settings

FULL_RATIO = 0.98
FILLER = "fault-filler"
CLAIM_IS_FULL = " or ".join(
    f'kubelet_volume_stats_{free}{{persistentvolumeclaim="api-storage"}} / kubelet_volume_stats_{all_of_it} < 0.1'
    for free, all_of_it in (("available_bytes", "capacity_bytes"), ("inodes_free", "inodes"))
)


def limited(settings: Settings) -> State:
    trouble = storage.trouble(settings)
    if trouble:
        raise SandboxError(f"The API's volume cannot be filled: {trouble}")
    return {}


def volume_full(settings: Settings, state: State) -> None:
    volume = storage.folder(settings)
    figures = os.statvfs(volume)
    used = figures.f_blocks - figures.f_bfree
    missing = int(figures.f_blocks * FULL_RATIO) - used
    with (volume / FILLER).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, missing) * figures.f_frsize)


def inodes_full(settings: Settings, state: State) -> None:
    folder = storage.folder(settings) / f"{FILLER}s"
    folder.mkdir(exist_ok=True)
    figures = os.statvfs(folder)
    missing = int(figures.f_files * FULL_RATIO) - (figures.f_files - figures.f_ffree)
    for number in range(missing):
        (folder / str(number)).touch()


def not_full(settings: Settings, state: State) -> None:
    volume = storage.folder(settings)
    (volume / FILLER).unlink(missing_ok=True)
    shutil.rmtree(volume / f"{FILLER}s", ignore_errors=True)
    wait_for_prometheus(settings, "finds room in the volume", CLAIM_IS_FULL, there=False)


FAULTS = (
    Fault(
        "volume_full", "98 % of the API's volume is used", volume_full, not_full, limited, dies_with_down=True
    ),
    Fault("inodes_full", "98 % of its inodes are used", inodes_full, not_full, limited, dies_with_down=True),
)
