"""Which log files may be deleted or compressed, and which rule protects every other one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field, model_validator

from docrag_ops.core.logs.files import PART, Kind, LogFile, is_utf8
from docrag_ops.core.logs.rotations import name_of
from docrag_ops.core.records import Record

KUBELET_FOLDERS = ("/var/log/pods", "/var/log/containers", "/var/lib/kubelet", "/var/lib/docker")
DAY_NS = 86_400 * 10**9

AbsolutePath = Annotated[str, Field(pattern=r"^/[^/]")]


class CleanupPolicy(Record):
    """`changes.log_cleanup.policy` of an environment."""

    workload: Annotated[str, Field(min_length=1, description="a workload of cluster.workloads, e.g. fluentd")]
    container: Annotated[str, Field(min_length=1, description="the container's name, e.g. fluentd")]
    roots: Annotated[
        tuple[AbsolutePath, ...], Field(min_length=1, description="a list of folders, e.g. [/var/log]")
    ]
    retention_days: Annotated[
        float, Field(gt=0, description="the age beyond which rotations are deleted, e.g. 7")
    ] = 7
    compress_after_days: Annotated[
        float, Field(gt=0, description="the age beyond which rotations are compressed, e.g. 1")
    ] = 1
    compress_from_bytes: Annotated[
        int, Field(ge=1, description="the size from which compressing is worth it, e.g. 4096")
    ] = 4096
    protected: Annotated[
        tuple[str, ...],
        Field(description="more paths that are left alone, with * for any text, e.g. [/var/log/audit/*]"),
    ] = ()
    second_look_seconds: Annotated[
        float, Field(gt=0, le=60, description="how long a file has to keep still between two looks, e.g. 5")
    ] = 5

    @model_validator(mode="after")
    def _roots_are_plain(self) -> CleanupPolicy:
        for root in self.roots:
            if root != root.rstrip("/") or {"..", ".", ""} & set(root.split("/")[1:]):
                raise ValueError(f"root {root!r} has to be a plain absolute path, e.g. /var/log")
        if self.compress_after_days >= self.retention_days:
            raise ValueError("compress_after_days has to be less than retention_days")
        return self


class Action(StrEnum):
    """What may be done to a file."""

    DELETE = "delete"
    COMPRESS = "compress"


@dataclass(frozen=True)
class Decision:
    """What becomes of a file: an action, or the rule that protects it. Neither: it is a rotation and stays its time."""

    file: LogFile
    action: Action | None = None
    rule: str = ""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What was seen in one pod: two lists, some seconds apart, and the files that its processes hold open."""

    first: Sequence[LogFile]
    second: Sequence[LogFile]
    open_files: AbstractSet[tuple[int, int]]
    can_compress: bool = True


def decide(looks: Looks, policy: CleanupPolicy, *, now: datetime) -> list[Decision]:
    """A decision about every name but folders, by path. Rules are tried in order; the first that protects counts."""
    judge = _Judge(looks, policy, now)
    names = sorted(
        (file for file in looks.second if file.kind is not Kind.FOLDER), key=lambda file: file.path
    )
    return [judge.decision(file) for file in names]


class _Judge:
    def __init__(self, looks: Looks, policy: CleanupPolicy, now: datetime) -> None:
        self._policy = policy
        self._looks = looks
        self._now_ns = int(now.timestamp()) * 10**9
        self._before: Mapping[str, LogFile] = {file.path: file for file in looks.first}
        self._there: Mapping[str, LogFile] = {file.path: file for file in looks.second}
        self._newest = _newest_of_families(looks.second)

    def decision(self, file: LogFile) -> Decision:
        rule = self._place(file) or self._kind(file) or self._name(file)
        if not rule and file.path.removesuffix(".gz").endswith(PART):
            return self._leftover(file)
        rule = rule or self._rotation(file) or self._use(file)
        if rule:
            return Decision(file, rule=rule)
        return self._by_age(file)

    def _place(self, file: LogFile) -> str:
        folders = file.path.split("/")[1:]
        if not any(file.path.startswith(root + "/") for root in self._policy.roots) or ".." in folders:
            return "it is outside the policy's roots"
        if any(file.path.startswith(folder + "/") or file.path == folder for folder in KUBELET_FOLDERS):
            return "it belongs to the kubelet"
        if any(
            fnmatchcase(file.path, pattern) or file.path.startswith(pattern.rstrip("/") + "/")
            for pattern in self._policy.protected
        ):
            return "the policy protects this path"
        return ""

    def _kind(self, file: LogFile) -> str:
        if file.kind is Kind.SYMLINK:
            return "it is a symlink"
        return "it is no regular file" if file.kind is not Kind.FILE else ""

    def _name(self, file: LogFile) -> str:
        if not is_utf8(file.path):
            return "its name is not UTF-8, which an exec cannot carry exactly"
        if ".pos" in (f".{part}" for part in file.name.split(".")[1:]):
            return "it is a position file"
        return ""

    def _rotation(self, file: LogFile) -> str:
        return "" if name_of(file.name).is_rotation else "its name is not that of a finished rotation"

    def _use(self, file: LogFile) -> str:
        if file.identity in self._looks.open_files:
            return "a process of the pod has it open"
        before = self._before.get(file.path)
        if before is None:
            return "it was not there at the first look"
        if before.fingerprint() != file.fingerprint():
            return "it changed between two looks"
        part = self._there.get(file.path + PART)
        if file.links > 1 + (part is not None and part.identity == file.identity):
            return "it has another name (a hard link)"
        if file.mtime_ns > self._now_ns:
            return "its time is in the future"
        if file.mtime_ns >= self._newest[_family(file)]:
            return "it is the newest of its family"
        return ""

    def _by_age(self, file: LogFile) -> Decision:
        age_days = (self._now_ns - file.mtime_ns) / DAY_NS
        archive = name_of(file.name).is_archive
        if age_days > self._policy.retention_days:
            return Decision(file, Action.DELETE)
        if archive or age_days <= self._policy.compress_after_days:
            return Decision(file)
        if file.size_bytes < self._policy.compress_from_bytes:
            return Decision(file)
        if "{}" in file.path:
            return Decision(file, rule="its name holds {}, which find replaces in commands")
        if not self._looks.can_compress:
            return Decision(file, rule="the pod has no gzip")
        return Decision(file, Action.COMPRESS)

    def _leftover(self, file: LogFile) -> Decision:
        """What a killed compression of ours left: it goes when all of its content has another name.

        The archive got the time of the file, so a file that has it still was not written to since.
        """
        original = self._there.get(file.path.removesuffix(".gz").removesuffix(PART))
        finished = self._there.get(file.path.removesuffix(".gz").removesuffix(PART) + ".gz")
        if file.path.endswith(".gz"):
            kept = original is not None or (finished is not None and finished.identity == file.identity)
        elif original is not None:
            kept = original.identity == file.identity
        else:
            kept = finished is not None and finished.mtime_ns == file.mtime_ns
        if not kept:
            return Decision(file, rule="it is what a compression left, and its original is not there")
        if file.identity in self._looks.open_files or self._before.get(file.path) != file:
            return Decision(file, rule="a compression works on it")
        return Decision(file, Action.DELETE)


def _family(file: LogFile) -> tuple[str, str]:
    return file.folder, name_of(file.name).family


def _newest_of_families(files: Iterable[LogFile]) -> dict[tuple[str, str], int]:
    newest: dict[tuple[str, str], int] = {}
    for file in files:
        if file.kind is Kind.FILE:
            newest[_family(file)] = max(newest.get(_family(file), 0), file.mtime_ns)
    return newest
