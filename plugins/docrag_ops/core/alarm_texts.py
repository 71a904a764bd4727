"""What an alarm reads like: a title and a text that fit every channel. Templates: `include/reports/alarms/`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from docrag_ops.core.alarms import Alarm
from docrag_ops.core.findings import Finding
from docrag_ops.core.rendering import Group, grouped, render
from docrag_ops.core.results import RunResult
from docrag_ops.core.texts import one_line, shortened

TITLE_BYTES = 200
TEXT_BYTES = 12 * 1024
MOST_GROUPS = 8
FACTS = ("by", "deadline", "link", "reason", "run_id", "since", "started", "state", "text")
MARKED = "state was manually set to"
TIMED_OUT = "timed_out"
REASONS = {
    "task_failure": "a task failed",
    TIMED_OUT: "the run took longer than it may and was stopped",
    "all_tasks_deadlocked": "its tasks wait for each other",
}


@dataclass(frozen=True)
class Message:
    """What is sent."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of an alarm's run when it is told.

    `missing` says why there is no result; `tasks` task -> state; `since` (check, subject) -> bad since.
    """

    result: RunResult | None = None
    missing: str = ""
    tasks: Mapping[str, str] = field(default_factory=dict)
    since: Mapping[tuple[str, str], datetime] = field(default_factory=dict)


def compose(alarm: Alarm, known: Known, *, template: str) -> Message:
    """The message about an alarm. The template's first line is the title."""
    bad = _worst_first(known.result.findings) if known.result else []
    rendered = render(
        template,
        alarm=alarm,
        facts={**dict.fromkeys(FACTS, ""), **alarm.facts},
        reason=_reason(alarm),
        result=known.result,
        missing=known.missing,
        bad=bad[:MOST_GROUPS],
        groups=len(bad),
        left_out=list(Counter(group.first.check for group in bad[MOST_GROUPS:]).items()),
        tasks=_worth_naming(known.tasks, stopped=alarm.facts.get("reason") == TIMED_OUT),
        since=lambda group: _since(group, known.since),
    )
    title, _, text = rendered.partition("\n")
    return Message(
        title=shortened(one_line(title), size_bytes=TITLE_BYTES),
        text=shortened(text.strip(), size_bytes=TEXT_BYTES),
    )


def _worst_first(findings: Sequence[Finding]) -> list[Group]:
    """What fails the run, the worst first; of equals each check's first before any check's second.

    A message shows only a few: fifty pods that crash must not hide the database that is down.
    """
    bad = [group for group in grouped(findings) if group.verdict.fails]
    seen: Counter[str] = Counter()
    turns = []
    for group in bad:
        turns.append((-group.verdict.severity, seen[group.first.check]))
        seen[group.first.check] += 1
    return [group for _, group in sorted(zip(turns, bad, strict=True), key=lambda one: one[0])]


def _reason(alarm: Alarm) -> str:
    """Why a run failed, in words. Airflow's own sentence for a run that was marked is recognised by its beginning."""
    said = str(alarm.facts.get("reason") or "")
    if MARKED in said:
        return "somebody marked the run failed"
    return one_line(REASONS.get(said, said or "it failed"))


def _worth_naming(tasks: Mapping[str, str], *, stopped: bool) -> dict[str, str]:
    """The tasks that say why a run failed: all but those that ended well or only followed.

    Airflow marks the tasks of a run that it stopped as skipped.
    """
    of_no_interest = {"success", "upstream_failed", "removed", *(() if stopped else ("skipped",))}
    return {task: state for task, state in sorted(tasks.items()) if state not in of_no_interest}


def _since(group: Group, since: Mapping[tuple[str, str], datetime]) -> str:
    """Since when the oldest of a group's findings is bad."""
    known = [since[key] for finding in group.findings if (key := _key(finding)) in since]
    return f"{min(known):%Y-%m-%d %H:%M} UTC" if known else ""


def _key(finding: Finding) -> tuple[str, str]:
    return finding.check, finding.subject
