"""The numbers that prove a maintenance, and what of them did not get better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docrag_ops.core.changes import Plan, Step
from docrag_ops.core.maintenance.bloat import Bloat
from docrag_ops.core.maintenance.plan import Action

RETENTION = (Action.DELETE, Action.DROP_PART)
LONGEST_WAIT, INVALID, DATABASE = "longest_wait_seconds of others", "invalid indexes", "database_bytes"


def numbers(
    plan: Plan,
    *,
    relations: Mapping[str, Mapping[str, Any]],
    eligible: Mapping[str, int],
    bloat: Mapping[str, Bloat],
    whole: Mapping[str, float],
) -> dict[str, float]:
    """Before or after: the whole database first, then every step's subject; what is gone has 0.

    :param relations: oid → size_bytes (None of what is locked), dead_rows, transaction_age, of what is still there
    :param eligible: oid → rows beyond retention, where they could be counted
    :param bloat: oid → bloat, where it is known
    :param whole: numbers of the database
    """
    found = dict(whole)
    for step in plan.steps:
        oid = step.fingerprint["oid"]
        row = relations.get(oid)
        if step.action in RETENTION and (oid in eligible or row is None):
            found[f"rows beyond retention {step.subject}"] = float(eligible.get(oid, 0))
        size = row["size_bytes"] if row else 0.0
        if step.action != Action.DROP_LEFTOVER and size is not None:
            found[f"size_bytes {step.subject}"] = float(size)
        if row and step.action in (Action.DELETE, Action.VACUUM, Action.ANALYZE):
            found[f"dead rows {step.subject}"] = float(row["dead_rows"])
            found[f"transaction age {step.subject}"] = float(row["transaction_age"])
        if step.action == Action.REBUILD and oid in bloat:
            found[f"bloat_ratio {step.subject}"] = round(bloat[oid].ratio, 4)
    return found


def not_better(
    plan: Plan, before: Mapping[str, float], after: Mapping[str, float], *, bloat_limit: float
) -> str:
    """What the maintenance was for and did not come to, in words; empty when it did."""
    wrong = []
    for step in plan.steps:
        rows = after.get(f"rows beyond retention {step.subject}", 0)
        if step.action in RETENTION and rows:
            wrong.append(f"{rows:,.0f} rows of {step.subject} are still beyond their retention")
        if step.action == Action.REBUILD and _still_bloated(step, before, after, bloat_limit):
            wrong.append(f"index {step.subject} is as bloated as before")
    if after.get(INVALID, 0) > before.get(INVALID, 0):
        wrong.append(f"there are {after[INVALID]:,.0f} invalid indexes, {before.get(INVALID, 0):,.0f} before")
    return "; ".join(dict.fromkeys(wrong))


def _still_bloated(step: Step, before: Mapping[str, float], after: Mapping[str, float], limit: float) -> bool:
    """Measured as bloated, before and after. An index that vanished, or was not bloated, is none."""
    name = f"bloat_ratio {step.subject}"
    return name in before and name in after and after[name] >= limit and after[name] >= before[name]
