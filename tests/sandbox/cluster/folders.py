"""The pods' folders and log files: `pods/<namespace>/<pod>/{rootfs,logs}` in the state folder."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.sandbox.cluster.world import World

Object = dict[str, Any]
EVERY_POD = ("/var/log", "/app/storage", "/tmp")


class Folders:
    def __init__(self, state: Path) -> None:
        self.root = state / "pods"

    def of(self, namespace: str, pod: str) -> Path:
        return self.root / namespace / pod

    def log(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> Path:
        return self.of(namespace, pod) / "logs" / f"{container}{'.previous' if previous else ''}.log"

    def inside(self, pod: Object, path: str) -> Path:
        """Where a path inside the pod is on this machine."""
        return self.of(pod["metadata"]["namespace"], pod["metadata"]["name"]) / "rootfs" / path.lstrip("/")

    def create(self, pod: Object) -> None:
        for path in (*EVERY_POD, *claim_mounts(pod).values()):
            self.inside(pod, path).mkdir(parents=True, exist_ok=True)
        self.log(pod["metadata"]["namespace"], pod["metadata"]["name"], "").parent.mkdir(exist_ok=True)

    def follow(self, world: World, lasting: World) -> None:
        """Give every scheduled pod its folders; remove those of pods that a fault had invented."""
        present = world.all("Pod")
        for pod in present:
            if pod["spec"].get("nodeName"):
                self.create(pod)
                self._first_lines(world, pod)
            self._previous_logs(pod)
        kept = {_key(pod) for pod in (*present, *lasting.all("Pod"))}
        for folder in self.root.glob("*/*"):
            if (folder.parent.name, folder.name) not in kept and not any(
                map(os.path.ismount, folder.rglob("*"))
            ):
                shutil.rmtree(folder)

    def _first_lines(self, world: World, pod: Object) -> None:
        for status in pod["status"].get("containerStatuses") or ():
            path = self.log(*_key(pod), status["name"])
            lines = world.profile["first_log_lines"].get(status["name"], ())
            if lines and not path.exists() and "waiting" not in status["state"]:
                path.write_text("".join(_stamped(pod["status"]["startTime"], line) for line in lines))

    def _previous_logs(self, pod: Object) -> None:
        """A fault that lets a container crash says what the container wrote before it did."""
        told = pod.get("sandbox", {}).get("previous_log", {})
        for container in pod["spec"]["containers"]:
            path = self.log(*_key(pod), container["name"], previous=True)
            if lines := told.get(container["name"]):
                path.write_text("".join(_stamped(moment, line) for moment, line in lines))
            else:
                path.unlink(missing_ok=True)


def claim_mounts(pod: Object) -> dict[str, str]:
    """The pod's claims by where they are mounted: {claim: path}."""
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["spec"].get("volumes", ())
        if "persistentVolumeClaim" in volume
    }
    return {
        claims[mount["name"]]: mount["mountPath"]
        for container in pod["spec"]["containers"]
        for mount in container.get("volumeMounts", ())
        if mount["name"] in claims
    }


def _key(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _stamped(moment: str, line: str) -> str:
    at = datetime.fromisoformat(moment).astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond * 1000:09d}Z {line}\n"
