"""Which sign of failed authentications and rate limits counts, when logs of several containers tell of the same.

One event has several: a message, and an answer in the log of each proxy on its way. So they are not added up; but one
message of one system does not hide the thousand answers of another, which says nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from docrag_ops.core.logs.access import AccessCounts


@dataclass(frozen=True)
class Signs:
    """Events of all logs together, by source; `by` says which sign they were counted by."""

    sources: Counter[str]
    by: str

    @property
    def total(self) -> int:
        """All of them."""
        return self.sources.total()


def failures(counts: Sequence[tuple[str, AccessCounts]]) -> Signs:
    """Messages that say so, or the answers 401 of the container with the most of them: whichever are more."""
    return _signs(counts, [one.failed for _, one in counts], "messages", 401)


def limits(counts: Sequence[tuple[str, AccessCounts]]) -> Signs:
    """Refusals in nginx' error log, or the answers 429 of the container with the most of them: whichever are more."""
    return _signs(counts, [one.limited for _, one in counts], "refusals in the error log", 429)


def _signs(
    counts: Sequence[tuple[str, AccessCounts]], events: Iterable[Counter[str]], what: str, status: int
) -> Signs:
    said: Counter[str] = Counter()
    for sources in events:
        said.update(sources)
    by_container: dict[str, Counter[str]] = {}
    for container, one in counts:
        by_container.setdefault(container, Counter()).update(one.answers[status])
    answered = max(by_container.values(), key=Counter.total, default=Counter())
    if said.total() >= answered.total():
        return Signs(said, what)
    return Signs(answered, f"answers {status} in access logs")
