"""The longest that anybody waited for one of our steps: told in the step's record, and found there by the proof."""

from __future__ import annotations

import re
from collections.abc import Iterable

_UNWATCHED = "nobody watched whether others waited"
_TOLD = re.compile(r"others waited at most (\d+\.\d+) s for it")


def told(seconds: float | None) -> str:
    """As a step's record has it.

    >>> longest([told(0.25)]), told(None)
    (0.25, 'nobody watched whether others waited')
    """
    if seconds is None:
        return _UNWATCHED
    return f"others waited at most {seconds:.3f} s for it"


def longest(texts: Iterable[str]) -> float | None:
    """The longest of all that steps told; None when none did."""
    found = [float(match) for text in texts for match in _TOLD.findall(text)]
    return max(found, default=None)


def unwatched(texts: Iterable[str]) -> bool:
    """Whether others may have waited for longer than any step told."""
    return any(_UNWATCHED in text for text in texts)
