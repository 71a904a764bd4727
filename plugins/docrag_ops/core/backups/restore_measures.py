"""What a restore is measured by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from docrag_ops.core.backups.restored import Restored, TableRows
from docrag_ops.core.measurements import Measurement

MOST_NAMED = 8
MOST_ROWS = 0.75


def done(one: Restored) -> Measurement:
    """0 when the dump was restored without an error, 1 with the error when it is bad."""
    if one.problem:
        return Measurement(subject=one.series, problem=f"{one.file_name} was not restored: {one.problem}")
    evidence = f"{one.file_name}: {one.failure}" if one.failure else one.file_name
    return Measurement(subject=one.series, value=int(bool(one.failure)), evidence=evidence)


def statements(one: Restored) -> Measurement:
    """0 when the dump stays inside its database, 1 when what leaves it was left out, 2 when it was refused."""
    scan = one.scan
    if scan is None:
        return one.unproven("statements") or Measurement(subject=one.series, problem="it was not read")
    if scan.refused:
        said = f"{one.file_name} is not restored as it stands: {scan.refusal()}"
        return Measurement(subject=one.series, value=2, evidence=said)
    if scan.leaves:
        said = f"{one.file_name} was restored without {'; '.join(scan.leaves)}"
        return Measurement(subject=one.series, value=1, evidence=said)
    return Measurement(subject=one.series, value=0)


def seconds(one: Restored) -> Measurement:
    """How long the restore took, from the first byte read to the last question answered."""
    return one.unproven("seconds") or Measurement(
        subject=one.series, value=one.seconds, evidence=one.file_name
    )


def missing_objects(one: Restored) -> list[Measurement]:
    """How many objects of each kind the live database has and the restored one lacks."""
    unproven = one.unproven("objects")
    if unproven:
        return [unproven]
    return [
        Measurement(
            subject=f"{one.series}: {kind}",
            value=len(names),
            evidence=f"missing in {one.file_name}: {_some(names)}" if names else "all there",
        )
        for kind, names in one.missing.items()
    ]


def row_ratios(
    one: Restored, *, slack: int, not_backed_up: Iterable[str], critical: float
) -> list[Measurement]:
    """Restored rows of each table as a ratio of the live ones; 1 when no more are missing than the slack.

    :param critical: the check's limit, which is not passed within the slack: of a table that is smaller than it nobody
        knows whether the missing rows are new, but that most of them are missing must not look good
    """
    unproven = one.unproven("rows")
    if unproven:
        return [unproven]
    left_out = set(not_backed_up)
    return [_row_ratio(one, rows, slack, critical) for rows in one.rows if rows.table not in left_out]


def _row_ratio(one: Restored, rows: TableRows, slack: int, critical: float) -> Measurement:
    subject = f"{one.series}: {rows.table}"
    if rows.restored is None:
        return Measurement(subject=subject, problem=rows.problem)
    if rows.live is None:
        return Measurement(
            subject=subject,
            problem=f"{rows.restored:,} rows restored; PostgreSQL has no count of the live table yet",
        )
    evidence = f"{rows.restored:,} rows restored, about {rows.live:,.0f} live"
    ratio = min(1.0, rows.restored / rows.live) if rows.live else 1.0
    if rows.restored and rows.live - rows.restored <= slack:
        ratio = 1.0 if ratio >= MOST_ROWS else max(ratio, critical)
    return Measurement(subject=subject, value=ratio, evidence=evidence)


def seconds_lost(one: Restored) -> Measurement:
    """How much later the live system's newest row was written than the dump's: what a loss would cost now."""
    unproven = one.unproven("appended")
    if unproven:
        return unproven
    if one.written_until is None:
        return _no_table(one)
    restored, live = one.written_until
    if live is None:
        return Measurement(subject=one.series, problem="the live table has no row to compare with")
    if restored is None:
        return Measurement(
            subject=one.series, problem=f"the table is empty in {one.file_name}; it has rows live"
        )
    return Measurement(
        subject=one.series,
        value=max(0.0, (live - restored).total_seconds()),
        evidence=_until(one, restored, live),
    )


def seconds_beside_name(one: Restored) -> Measurement:
    """How long before the day of its name the dump's rows end, although rows were written in between."""
    unproven = one.unproven("appended")
    if unproven:
        return unproven
    if one.span is None:
        return Measurement(subject=one.series, not_judged="the names of the series state no day")
    if one.written_until is None:
        return _no_table(one)
    restored, live = one.written_until
    if restored is None or live is None:
        return Measurement(subject=one.series, problem="there is no newest row to compare the name with")
    late = (restored - one.span.ends_at).total_seconds()
    early = (min(live, one.span.begins_at) - restored).total_seconds()
    return Measurement(subject=one.series, value=max(0.0, early, late), evidence=_until(one, restored, live))


def wrong_answer(one: Restored, *, expected: str) -> Measurement:
    """0 when the application's query finds what it has to find, else 1."""
    unproven = one.unproven("question")
    if unproven:
        return unproven
    answer = one.answer or ""
    right = expected in answer
    evidence = "" if right else f"expected {expected!r}, got: {answer[:300]!r}"
    return Measurement(subject=one.series, value=int(not right), evidence=evidence)


def _no_table(one: Restored) -> Measurement:
    return Measurement(
        subject=one.series, not_judged="not configured: backups.restore.appended names no table"
    )


def _until(one: Restored, restored: datetime, live: datetime) -> str:
    return (
        f"the rows of {one.file_name} end at {restored:%Y-%m-%d %H:%M:%S} UTC, those of the live system at "
        f"{live:%Y-%m-%d %H:%M:%S} UTC"
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


BY_DUMP: dict[str, Callable[[Restored], Measurement]] = {
    "done": done,
    "statements": statements,
    "seconds": seconds,
    "lost": seconds_lost,
    "name": seconds_beside_name,
}
