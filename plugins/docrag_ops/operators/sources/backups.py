"""`measure: {backups: NAME}`: the newest backup of each series, read to its end; nothing is restored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

from docrag_ops.core.backup_sections import BackupsSection
from docrag_ops.core.backups import file_measures, part_measures
from docrag_ops.core.backups.configuration import PATHS, Key, is_kept_by_hand
from docrag_ops.core.backups.examined import Examined
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome
from docrag_ops.hooks.backups import BackupStorage
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.web import WebHook
from docrag_ops.operators.asking import Answers, Asking, outcome_of
from docrag_ops.operators.examining import examined, listed


def answer(checks: list[Check], asking: Asking) -> Answers:
    """List and read everything once, then answer from that."""
    if asking.environment.backups is None:
        raise CouldNotMeasureError("the environment has no section 'backups'")
    storage = _Storage(asking.environment.backups, asking)
    # Each for itself: the storage has answered, and what does not answer now is another system.
    return {check.name: outcome_of(partial(storage.ask, check)) for check in checks}


class _Storage:
    """All series of the environment, each read once."""

    def __init__(self, section: BackupsSection, asking: Asking) -> None:
        self._section, self._asking = section, asking
        hook = BackupStorage()
        files = hook.files()
        self._all = {
            name: examined(one, section.series[name], hook, files, section)
            for name, one in listed(section, files).items()
        }

    def ask(self, check: Check) -> Outcome:
        """Answer one question."""
        of_one_part: dict[str, tuple[str, Callable[[Examined], list[Measurement]]]] = {
            "qdrant_parts": ("qdrant", self._qdrant_parts),
            "qdrant_config": ("qdrant", self._qdrant_config),
            "configuration_kept": ("configuration", self._objects_kept),
            "configuration_differs": (
                "configuration",
                lambda one: part_measures.objects_that_differ(one, self._live_objects),
            ),
        }
        if check.asked in of_one_part:
            part, measure = of_one_part[check.asked]
            return self._of_part(part, measure)
        limits = self._asking.environment.limits_of(check)
        old = min(limit for limit in (limits.warning, limits.critical) if limit is not None)
        age: file_measures.ByFile = partial(file_measures.age_seconds, now=self._asking.now, old_seconds=old)
        by_file = {**file_measures.BY_FILE, "age": age}
        return Measured(tuple(by_file[check.asked](one) for one in self._all.values()))

    def _of_part(self, part: str, measure: Callable[[Examined], list[Measurement]]) -> Outcome:
        ours = [one for name, one in self._all.items() if self._section.series[name].part == part]
        if not ours:
            return NotConfigured(f"not configured: no series of backups.series is of the part {part!r}")
        return Measured(tuple(measurement for one in ours for measurement in measure(one)))

    def _qdrant_parts(self, one: Examined) -> list[Measurement]:
        series = self._section.series[one.series]
        return part_measures.qdrant_parts(one, self._collections(one), is_partial=series.is_partial)

    def _qdrant_config(self, one: Examined) -> list[Measurement]:
        live = {name: self._live_collection(name) for name in self._collections(one)}
        return part_measures.qdrant_config(one, live)

    def _collections(self, one: Examined) -> tuple[str, ...]:
        """The collections that have to be in an archive."""
        named = self._section.series[one.series].collection
        if named:
            return (named,)
        qdrant = self._asking.environment.qdrant
        if qdrant is None:
            raise CouldNotMeasureError("the environment has no section 'qdrant' that names the collections")
        return qdrant.collections

    @staticmethod
    def _live_collection(name: str) -> Any:
        """The configuration of a collection as Qdrant has it now."""
        return WebHook("docrag_qdrant", name="Qdrant").ask_json("GET", f"/collections/{name}")["result"][
            "config"
        ]

    def _objects_kept(self, one: Examined) -> list[Measurement]:
        cluster = self._asking.environment.cluster
        workloads = cluster.workloads if cluster else {}
        needed = [(workload.kind, workload.namespace, name) for name, workload in workloads.items()]
        kept_by_hand = {
            key: found for key, found in self._live_objects.items() if is_kept_by_hand(key[0], found)
        }
        return part_measures.objects_not_kept(one, kept_by_hand, needed)

    @cached_property
    def _live_objects(self) -> Mapping[Key, Mapping[str, Any]]:
        """All objects of the kinds that are compared, in the environment's namespaces."""
        cluster = self._asking.environment.cluster
        if cluster is None:
            raise CouldNotMeasureError("the environment has no section 'cluster'")
        hook = ClusterHook()
        return {
            (kind, namespace, str(found["metadata"]["name"])): found
            for kind, path in PATHS.items()
            for namespace in cluster.namespaces
            for found in hook.list_items(path.format(namespace), dict)
        }
