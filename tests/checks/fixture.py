"""Fixtures of checks: what foreign systems answered, and what a check has to make of it.

`fixtures/AREA/healthy.json` is recorded from a healthy platform (`record.py`); `healthy.yaml` beside it has earlier
samples, and says which checks are ok on it. It is the healthy twin of every fault of the area: a fixture
`fixtures/AREA/CHECK_VERDICT[_DETAIL].yaml` is the same platform with something changed.

    origin:   what it was recorded from, or which document it was constructed from
    now:      the time of the run (default: of the recording)
    samples:  earlier samples, CHECK -> a list of {subject, measured_at, value | numerator, denominator, epoch}
    change:   SYSTEM -> what it answers instead; see `_changed` below
    expect:   {subject, evidence (words in it), also: checks that turn bad because of it (their record says so),
              together: checks that miss the same answer}; of healthy.yaml: {ok: checks, not_judged: checks}
"""

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from docrag_ops.core.measurements import Sample
from docrag_ops.core.records import load_yaml
from docrag_ops.hooks.include import IncludeFolder

FOLDER = Path(__file__).parent / "fixtures"
VERDICTS = ("ok", "warning", "unknown", "critical", "not_judged")


@dataclass(frozen=True)
class Fixture:
    """One file: the answers of all systems, and what is expected of the check it is named after."""

    path: Path
    area: str
    check: str
    verdict: str
    origin: str
    now: datetime
    answers: dict[str, Any]
    samples: dict[str, dict[str, list[Sample]]]
    expect: dict[str, Any] = field(default_factory=dict)


def all_fixtures() -> list[Fixture]:
    """Every fixture of every area, but for the healthy ones."""
    return [_load(path) for path in sorted(FOLDER.glob("*/*.yaml")) if path.stem != "healthy"]


def healthy_fixtures() -> list[Fixture]:
    """The healthy platform, area by area."""
    return [_load(path) for path in sorted(FOLDER.glob("*/healthy.yaml"))]


@cache
def check_names() -> dict[str, tuple[str, ...]]:
    """The names of all checks, by area."""
    return {
        area: tuple(check.name for check in checks) for area, checks in IncludeFolder().all_checks().items()
    }


@cache
def _healthy(area: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a healthy platform answered to the questions of an area, and what its healthy.yaml says."""
    path = FOLDER / area / "healthy.json"
    recorded = json.loads(path.read_text()) if path.exists() else {}
    return recorded, load_yaml((FOLDER / area / "healthy.yaml").read_text(), where="healthy.yaml")


def _load(path: Path) -> Fixture:
    area, data = path.parent.name, load_yaml(path.read_text(), where=path.name)
    unknown = set(data) - {"origin", "now", "samples", "change", "expect"}
    if unknown:
        raise ValueError(f"{path.name} has the keys {unknown}; see the top of tests/checks/fixture.py")
    check, verdict = ("", "ok") if path.stem == "healthy" else _named(path, area)
    recorded, twin = copy.deepcopy(_healthy(area))
    recorded_at = recorded.pop("now", None)
    for change in (twin.get("change") or {}, data.get("change") or {}):
        recorded |= {name: _changed(name, recorded.get(name, {}), new) for name, new in change.items()}
    now = data.get("now") or twin.get("now") or datetime.fromisoformat(recorded_at)
    samples = {**(twin.get("samples") or {}), **(data.get("samples") or {})}
    return Fixture(
        path=path,
        area=area,
        check=check,
        verdict=verdict,
        origin=data["origin"],
        now=now if now.tzinfo else now.replace(tzinfo=UTC),
        answers=recorded,
        samples={name: _samples(rows) for name, rows in samples.items() if rows},
        expect=data.get("expect") or {},
    )


def _named(path: Path, area: str) -> tuple[str, str]:
    """Check and verdict of a file's name; of several checks the longest name that fits."""
    for check in sorted(check_names()[area], key=len, reverse=True):
        for verdict in VERDICTS:
            if path.stem == f"{check}_{verdict}" or path.stem.startswith(f"{check}_{verdict}_"):
                return check, verdict
    raise ValueError(f"{path} is not named CHECK_VERDICT[_DETAIL].yaml after a check of the area {area!r}")


def _samples(rows: list[dict[str, Any]]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for row in rows:
        at = row["measured_at"]
        sample = Sample(
            subject=row["subject"],
            measured_at=at if at.tzinfo else at.replace(tzinfo=UTC),
            value=row.get("value"),
            numerator=row.get("numerator"),
            denominator=row.get("denominator"),
            epoch=row.get("epoch", ""),
        )
        found.setdefault(sample.subject, []).append(sample)
    return found


def _changed(system: str, recorded: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A system's answers with the changes of a fixture.

    kubernetes: path -> {name: a JSON merge patch of the item of that name, null to leave it out}, or {http, body}
    redis: INFO -> {field: value}; any command -> the error it is answered with
    storage: NAME -> a JSON merge patch of what is stored, null to remove it
    any other: question -> the whole answer; of sql: FILE, or `FILE WORD` of one put together with that word in it
    pings, snapshots, statements: the whole answer (see past.py)
    """
    if system == "kubernetes":
        return {**recorded, **{path: _objects(recorded.get(path, {}), patch) for path, patch in new.items()}}
    if system == "storage":
        return dict(merge_patch(recorded, new))
    if system == "redis":
        return {**recorded, **new, "INFO": _info(recorded["INFO"], new.get("INFO", {}))}
    if system in ("pings", "snapshots", "statements"):
        return new
    return {**recorded, **new}


def _objects(listed: dict[str, Any], patches: dict[str, Any]) -> dict[str, Any]:
    if "http" in patches:
        return patches
    items = {item["metadata"]["name"]: item for item in listed["items"]}
    example = next(iter(items.values()), {"metadata": {}})
    for name, patch in patches.items():
        if patch is None:
            del items[name]
            continue
        fresh = {"metadata": {"name": name, "namespace": example["metadata"].get("namespace", "")}}
        items[name] = merge_patch(items.get(name, fresh), patch)
    return {**listed, "items": list(items.values())}


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396.

    >>> merge_patch({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": [3]}})
    {'a': {'c': 2, 'd': [3]}}
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _info(lines: list[str], changes: dict[str, Any]) -> list[str]:
    known = {line.partition(":")[0] for line in lines}
    changed = [
        f"{name}:{changes[name]}" if (name := line.partition(":")[0]) in changes else line
        for line in lines
        if changes.get(line.partition(":")[0], "") is not None
    ]
    return changed + [f"{name}:{value}" for name, value in changes.items() if name not in known]
