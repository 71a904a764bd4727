"""Which sign of failed authentications and rate limits counts, when logs of several containers tell of the same.

One event has several: a message, and an answer in the log of each proxy on its way. So they are not added up; but one
message of one system does not hide the thousand answers of another, which says nothing else. Who is behind a proxy
knows its address only: of signs that tell about as many events, the one with the most addresses counts, and those of
private networks only where there are no others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from docrag_ops.core.logs.access import OTHERS, UNKNOWN_SOURCE, AccessCounts
from docrag_ops.core.logs.addresses import is_ours

ABOUT_AS_MANY = 0.9  # of the most: pods read one after the other, and a proxy that answers some itself
NO_ADDRESS = frozenset({UNKNOWN_SOURCE, OTHERS})


@dataclass(frozen=True)
class Signs:
    """Events of all logs together, by source; `by` says which sign they were counted by."""

    sources: Counter[str]
    by: str

    @property
    def total(self) -> int:
        """All of them."""
        return self.sources.total()

    @property
    def addresses(self) -> Counter[str]:
        """Those whose address is known."""
        return Counter({name: count for name, count in self.sources.items() if name not in NO_ADDRESS})

    @property
    def without_address(self) -> dict[str, int]:
        """The rest, under UNKNOWN_SOURCE and OTHERS, where there is any."""
        return {name: self.sources[name] for name in sorted(NO_ADDRESS) if self.sources[name]}


def failures(counts: Sequence[tuple[str, AccessCounts]]) -> Signs:
    """Messages that say so, or a container's answers 401: whichever are more, see `_signs`."""
    return _signs(counts, [one.failed for _, one in counts], "messages", 401)


def limits(counts: Sequence[tuple[str, AccessCounts]]) -> Signs:
    """Refusals in nginx' error log, or a container's answers 429: whichever are more, see `_signs`."""
    return _signs(counts, [one.limited for _, one in counts], "refusals in the error log", 429)


def _signs(
    counts: Sequence[tuple[str, AccessCounts]], events: Iterable[Counter[str]], what: str, status: int
) -> Signs:
    """Of those that tell about as many as the one with the most: who knows the most addresses, and messages first."""
    said: Counter[str] = Counter()
    for sources in events:
        said.update(sources)
    by_container: dict[str, Counter[str]] = {}
    for container, one in counts:
        by_container.setdefault(container, Counter()).update(one.answers[status])
    answered = f"answers {status} in access logs"
    signs = [Signs(said, what), *(Signs(sources, answered) for sources in by_container.values())]
    enough = ABOUT_AS_MANY * max(one.total for one in signs)
    return max((one for one in signs if one.total >= enough), key=_knowledge)


def _knowledge(signs: Signs) -> tuple[int, int, int]:
    """How many addresses it knows that are no proxy's of ours, then how many at all, then of how many events."""
    from_outside = sum(not is_ours(address) for address in signs.addresses)
    return from_outside, len(signs.addresses), signs.total
