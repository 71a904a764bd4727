"""A sample of a cache's keys: what is kept under which prefix. Of a key's name only the prefix is ever kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from docrag_ops.core.texts import storable

NO_PREFIX = "(no prefix)"
MOST_LETTERS = 60


@dataclass(frozen=True, kw_only=True)
class KeyFact:
    """A key of the sample.

    :param expires_seconds: None for a key that never expires
    :param idle_seconds: how long nobody asked for it; None where the policy counts uses instead (LFU)
    """

    prefix: str
    size_bytes: int
    expires_seconds: float | None
    idle_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class KeySample:
    """What SCAN came to: the sampled keys, and how many there are of all."""

    keys: Sequence[KeyFact]
    total: int

    @property
    def extent(self) -> str:
        """How much was looked at, in words."""
        return f"a sample of {len(self.keys):,} of {self.total:,} keys"

    def by_prefix(self) -> dict[str, list[KeyFact]]:
        """The sampled keys by prefix, those with most memory first."""
        groups: dict[str, list[KeyFact]] = {}
        for key in self.keys:
            groups.setdefault(key.prefix, []).append(key)
        return dict(sorted(groups.items(), key=lambda one: -sum(key.size_bytes for key in one[1])))

    def count(self, chosen: Callable[[KeyFact], bool]) -> int:
        """How many of the sampled keys are so."""
        return sum(map(chosen, self.keys))

    def sessions(self, prefixes: Iterable[str]) -> int:
        """How many of the sampled keys are sessions; prefixes with or without their colon."""
        names = {prefix.rstrip(":") + ":" for prefix in prefixes}
        return self.count(lambda key: key.prefix in names)


def prefix_of(name: bytes) -> str:
    """What a key's name begins with, up to and with the first colon.

    >>> prefix_of(b"session:4711"), prefix_of(b"counter")
    ('session:', '(no prefix)')
    """
    head, colon, _ = name.partition(b":")
    if not colon or len(head) > MOST_LETTERS:
        return NO_PREFIX
    return storable(head.decode("utf-8", "replace")) + ":"
