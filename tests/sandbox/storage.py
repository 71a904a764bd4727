"""The claim api-storage: one small tmpfs, limited in bytes and inodes, in every API pod's /app/storage."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import Settings

SIZE_BYTES = 64 * 2**20
INODES = 4096
UPLOADS = 12
UPLOAD_BYTES = 400_000


def start(settings: Settings) -> None:
    """Mount what is not mounted. Without the right to mount, the pods' plain folders stay, without limits."""
    if os.geteuid() != 0:
        return
    volume = folder(settings)
    volume.mkdir(parents=True, exist_ok=True)
    if not os.path.ismount(volume):
        _mount("-t", "tmpfs", "-o", f"size={SIZE_BYTES},nr_inodes={INODES},mode=755", "tmpfs", str(volume))
        _put_uploads(volume)
    for place in pod_folders(settings):
        if not os.path.ismount(place):
            _mount("--bind", str(volume), str(place))


def stop(settings: Settings) -> bool:
    """Unmount everything below the sandbox's folder, the innermost first."""
    mounted = _mounts_below(settings.state_dir)
    for place in reversed(mounted):
        done = subprocess.run(["umount", place], capture_output=True, text=True, check=False, timeout=20)
        if done.returncode:
            raise SandboxError(
                f"{place} cannot be unmounted: {done.stderr.strip()}; is a shell still in there?"
            )
    return bool(mounted)


def folder(settings: Settings) -> Path:
    return settings.state_dir / "volumes" / "api-storage"


def pod_folders(settings: Settings) -> list[Path]:
    return sorted(settings.pods_dir.glob("doc-rag-prod/api-*/rootfs/app/storage"))


def trouble(settings: Settings) -> str:
    """Why the volume has no limits, or an empty text."""
    if os.geteuid() != 0:
        return "not limited: mounting needs root; the faults volume_full and inodes_full are not available"
    places = pod_folders(settings)
    if not places:
        return "not mounted: the stand-in cluster has made no folders for the API's pods"
    if not all(os.path.ismount(place) for place in places):
        return "not mounted in every API pod; `up` does it"
    return ""


def _put_uploads(volume: Path) -> None:
    uploads = volume / "uploads"
    uploads.mkdir()
    for number in range(UPLOADS):
        (uploads / f"upload-{number:03}.pdf").write_bytes(os.urandom(UPLOAD_BYTES))
    (volume / "tmp").mkdir()


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False, timeout=20)
    if done.returncode:
        raise SandboxError(f"mount {' '.join(arguments)} failed: {done.stderr.strip()}")


def _mounts_below(top: Path) -> list[str]:
    places = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place = line.split()[4].encode().decode("unicode_escape")  # a space is written \040
        if place.startswith(f"{top}{os.sep}"):
            places.append(place)
    return places


def remove_folders(settings: Settings) -> None:
    """Remove the sandbox's folders, never through something that is still mounted there."""
    if _mounts_below(settings.state_dir):
        raise SandboxError(f"Something is still mounted below {settings.state_dir}; nothing was removed")
    shutil.rmtree(settings.data_dir, ignore_errors=True)
    shutil.rmtree(settings.state_dir, ignore_errors=True)
