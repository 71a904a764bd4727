"""A sample of a cache's keys: what is kept under which prefix. What is shown of a name lets nobody in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from docrag_ops.core.texts import storable

NO_PREFIX = "(no prefix)"
MOST_LETTERS = 60
_LONG = re.compile(r"[A-Za-z0-9_-]{20,}")
_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class KeyFact:
    """A key of the sample.

    :param name: whole; to be shown `masked` only
    :param expires_seconds: None for a key that never expires
    :param idle_seconds: how long nobody asked for it; None where the policy counts uses instead (LFU)
    """

    name: str = field(repr=False)
    size_bytes: int
    expires_seconds: float | None = None
    idle_seconds: float | None = None

    @property
    def prefix(self) -> str:
        """What its name begins with."""
        return prefix_of(self.name)


@dataclass(frozen=True, kw_only=True)
class KeySample:
    """What SCAN came to: the sampled keys, how many there are of all, and whether these are all."""

    keys: Sequence[KeyFact]
    total: int
    is_whole: bool

    @property
    def extent(self) -> str:
        """How much was looked at, in words."""
        if self.is_whole:
            return f"all {len(self.keys):,} keys"
        return f"a sample of {len(self.keys):,} of {self.total:,} keys"

    def by_prefix(self) -> dict[str, list[KeyFact]]:
        """The sampled keys by prefix, those with most memory first."""
        groups: dict[str, list[KeyFact]] = {}
        for key in self.keys:
            groups.setdefault(key.prefix, []).append(key)
        return dict(sorted(groups.items(), key=lambda one: -size_of(one[1])))

    def count(self, chosen: Callable[[KeyFact], bool]) -> int:
        """How many of the sampled keys are so."""
        return sum(map(chosen, self.keys))

    def sessions(self, prefixes: Iterable[str]) -> int:
        """How many of the sampled keys are sessions; prefixes with or without their colon."""
        names = {prefix.rstrip(":") + ":" for prefix in prefixes}
        return self.count(lambda key: key.prefix in names)


def size_of(keys: Iterable[KeyFact]) -> int:
    """What these keys take together, in bytes."""
    return sum(key.size_bytes for key in keys)


def prefix_of(name: str) -> str:
    """What a key's name begins with, up to and with the first colon.

    >>> prefix_of("session:4711"), prefix_of("counter")
    ('session:', '(no prefix)')
    """
    head, colon, _ = name.partition(":")
    if not head or not colon or len(head) > MOST_LETTERS:
        return NO_PREFIX
    return masked(head) + ":"


def masked(name: str) -> str:
    """A key's name without what lets its finder in: of a long part with digits (a session's token) only the beginning.

    >>> masked("session:6f1c2b7a9d3e4f5a6b7c8d9e"), masked("cache:document-embeddings-of-all")
    ('session:6f1c2b7a…', 'cache:document-embeddings-of-all')
    """
    return _LONG.sub(lambda part: _beginning(part[0]), storable(name))


def _beginning(part: str) -> str:
    return f"{part[:_SHOWN]}…" if sum(one.isdigit() for one in part) >= 3 else part
