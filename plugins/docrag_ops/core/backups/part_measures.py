"""What backups of Qdrant and of the configuration are measured by, beside the live systems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from docrag_ops.core.backups import configuration as config
from docrag_ops.core.backups.examined import Examined, why_not
from docrag_ops.core.backups.qdrant import vectors_differ
from docrag_ops.core.measurements import Measurement


def qdrant_parts(one: Examined, collections: tuple[str, ...], *, is_partial: bool) -> list[Measurement]:
    """How many parts of each collection are missing."""
    if one.content.qdrant is None:
        return [Measurement(subject=one.series, problem=why_not(one))]
    missing = one.content.qdrant.missing(collections, is_partial=is_partial)
    return [
        Measurement(
            subject=f"{one.series}: {name}",
            value=len(parts),
            evidence=f"{one.file_name} lacks {', '.join(parts)}"
            if parts
            else f"{one.file_name} has all parts",
        )
        for name, parts in missing.items()
    ]


def qdrant_config(one: Examined, live: Mapping[str, Any]) -> list[Measurement]:
    """0 for each collection whose archived vectors have the live ones' size and distance, else 1."""
    if one.content.qdrant is None:
        return [Measurement(subject=one.series, problem=why_not(one))]
    found = []
    for name, config_now in live.items():
        archived = one.content.qdrant.collections.get(name)
        differs = vectors_differ(archived.config if archived else None, config_now)
        found.append(
            Measurement(
                subject=f"{one.series}: {name}", value=int(bool(differs)), evidence=differs or "as live"
            )
        )
    return found


def objects_not_kept(
    one: Examined, live: Mapping[config.Key, Mapping[str, Any]], needed: Iterable[config.Key]
) -> list[Measurement]:
    """1 for each live object that the backup lacks, 2 for a workload that the environment names."""
    backup = one.content.configuration
    if backup is None:
        return [Measurement(subject=one.series, problem=why_not(one))]
    wanted = {key: 1 for key in live if key[0] in {kind for kind, _, _ in backup.objects}}
    wanted |= dict.fromkeys(needed, 2)
    evidence = (
        f"{one.file_name} has {len(backup.objects):,} objects that are compared, {backup.others:,} others"
    )
    missing = [
        Measurement(subject=" ".join(key), value=wanted[key], evidence=f"it is not in {one.file_name}")
        for key in sorted(wanted)
        if key not in backup.objects
    ]
    return [*missing, Measurement(subject=one.series, value=0, evidence=evidence)]


def objects_that_differ(one: Examined, live: Mapping[config.Key, Mapping[str, Any]]) -> list[Measurement]:
    """How many fields of each object are otherwise in the live cluster."""
    backup = one.content.configuration
    if backup is None:
        return [Measurement(subject=one.series, problem=why_not(one))]
    scaled = {
        (target.get("kind"), key[1], target.get("name"))
        for key, found in live.items()
        if key[0] == "HorizontalPodAutoscaler" and (target := found["spec"].get("scaleTargetRef") or {})
    }
    found = []
    for key, kept_one in sorted(backup.objects.items()):
        if key not in live:
            fields = ["the live cluster has no such object"]
        else:
            fields = config.differences(kept_one, live[key], is_scaled=key in scaled)
        if fields:
            evidence = f"otherwise in {one.file_name}: {', '.join(fields[:8])}"
            found.append(Measurement(subject=" ".join(key), value=len(fields), evidence=evidence))
    same = len(backup.objects) - len(found)
    return [
        *found,
        Measurement(subject=one.series, value=0, evidence=f"{same:,} objects are as in the cluster"),
    ]
