"""`measure: {restores: NAME}`: the newest dump of each series, restored on the scratch server."""

from __future__ import annotations

from functools import partial

from docrag_ops.core.backup_sections import BackupSeries, BackupsSection
from docrag_ops.core.backups import restore_measures as facts
from docrag_ops.core.backups.errors import DamagedError, UnreadableError
from docrag_ops.core.backups.examined import Examined
from docrag_ops.core.backups.inflate import inflated
from docrag_ops.core.backups.restored import Restored
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome, Unmeasured
from docrag_ops.hooks.backups import BackupStorage
from docrag_ops.hooks.scratch_qdrant import ScratchQdrant
from docrag_ops.hooks.web import WebHook
from docrag_ops.operators.asking import Answers, Asking, answer_each, outcome_of
from docrag_ops.operators.drill import RestoreDrill
from docrag_ops.operators.examining import listed

NOT_RECOVERED = (
    "not restored: the environment names no scratch server for Qdrant (backups.qdrant_scratch); the structure of its "
    "backup is checked by qdrant_backup_parts"
)
NO_SNAPSHOT = (
    "not restored: an archive of Qdrant's storage cannot be recovered through its API, a snapshot can"
)


def answer(checks: list[Check], asking: Asking) -> Answers:
    """Restore each dump once, then answer from what was found."""
    section = asking.environment.backups
    if section is None:
        raise CouldNotMeasureError("the environment has no section 'backups'")
    postgres = [check for check in checks if check.asked != "qdrant"]
    answers: Answers = {
        check.name: outcome_of(partial(recover_all, section, asking))
        for check in checks
        if check.asked == "qdrant"
    }
    if section.restore is None:
        reason = NotConfigured("not configured: the environment has no section 'backups.restore'")
        return {**answers, **{check.name: reason for check in postgres}}
    try:
        restored = restore_all(section, asking)
    except CouldNotMeasureError as error:
        return {**answers, **{check.name: Unmeasured(str(error)) for check in postgres}}
    return {
        **answers,
        **answer_each(postgres, partial(_ask, restored=restored, section=section, asking=asking)),
    }


def restore_all(section: BackupsSection, asking: Asking) -> list[Restored]:
    """One restore after the other."""
    if section.restore is None:
        return []
    drill = RestoreDrill(section.restore, asking.include, section.zone)
    return [
        drill.restore(one, section.series[name])
        for name, one in listed(section, BackupStorage().files()).items()
        if section.series[name].part == "postgres"
    ]


def _ask(check: Check, *, restored: list[Restored], section: BackupsSection, asking: Asking) -> Outcome:
    """Answer one question about all restores."""
    restore = section.restore
    if not restored or restore is None:
        return NotConfigured("not configured: no series of backups.series is of the part 'postgres'")
    if check.asked == "objects":
        return Measured(tuple(found for one in restored for found in facts.missing_objects(one)))
    if check.asked == "rows":
        ratios = partial(
            facts.row_ratios,
            slack=restore.row_slack,
            not_backed_up=restore.not_backed_up,
            critical=asking.environment.limits_of(check).critical or 0.0,
        )
        return Measured(tuple(found for one in restored for found in ratios(one)))
    if check.asked == "question":
        if restore.question is None:
            return NotConfigured("not configured: the environment has no section 'backups.restore.question'")
        expected = restore.question.answer_contains
        return Measured(tuple(facts.wrong_answer(one, expected=expected) for one in restored))
    return Measured(tuple(facts.BY_DUMP[check.asked](one) for one in restored))


def recover_all(section: BackupsSection, asking: Asking) -> Outcome:
    """Recover the newest snapshot of each collection, and hold its points against the live collection's."""
    ours = {name: series for name, series in section.series.items() if series.part == "qdrant"}
    if not ours:
        return NotConfigured("not configured: no series of backups.series is of the part 'qdrant'")
    if not section.qdrant_scratch:
        return NotConfigured(NOT_RECOVERED)
    collections = asking.environment.qdrant.collections if asking.environment.qdrant else ()
    storage, scratch = BackupStorage(), ScratchQdrant(section.qdrant_scratch)
    scratch.require_another_server(WebHook("docrag_qdrant", name="Qdrant").base_url, collections)
    scratch.sweep()
    newest = listed(section, storage.files())
    return Measured(tuple(_recovered(newest[name], one, storage, scratch) for name, one in ours.items()))


def _recovered(
    one: Examined, series: BackupSeries, storage: BackupStorage, scratch: ScratchQdrant
) -> Measurement:
    """Points of the recovered collection as a ratio of the live one's; 0 for a snapshot that Qdrant refuses."""
    if not series.collection:
        return Measurement(subject=one.series, not_judged=NO_SNAPSHOT)
    if one.newest is None:
        return Measurement(subject=one.series, problem=f"there is none: no file is named like {one.pattern}")
    try:
        live = WebHook("docrag_qdrant", name="Qdrant").ask_json("GET", f"/collections/{series.collection}")
        points = scratch.points_of_recovered(inflated(storage.chunks(one.file_name)))
    except DamagedError as error:
        return Measurement(subject=one.series, value=0, evidence=f"{one.file_name}: {error}")
    except (CouldNotMeasureError, UnreadableError) as error:
        return Measurement(subject=one.series, problem=f"{one.file_name} was not recovered: {error}")
    expected = live["result"]["points_count"]
    evidence = f"{points:,} points recovered from {one.file_name}, {expected:,} live"
    return Measurement(subject=one.series, value=points / expected if expected else 1.0, evidence=evidence)
