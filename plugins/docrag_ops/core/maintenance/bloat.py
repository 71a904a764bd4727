"""How much of a B-tree is air.

Measured by pgstattuple where it is there, else estimated from the planner's statistics. Both compare the pages an
index has with those that the same entries would fill if it were built anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MEASURED, ESTIMATED = "measured by pgstattuple", "estimated from statistics"
_PAGE_HEADER, _SPECIAL, _ITEM_POINTER, _TUPLE_HEADER, _ALIGN = 24, 16, 4, 8, 8


@dataclass(frozen=True)
class Bloat:
    """The wasted share (0-1) of an index of so many bytes, and how that is known."""

    ratio: float
    size_bytes: float
    how: str

    @property
    def wasted_bytes(self) -> float:
        """What a rebuild would give back."""
        return self.ratio * self.size_bytes

    def after_deleting(self, share: float) -> Bloat:
        """What it is at most when that share of its entries is gone.

        >>> round(Bloat(0.2, 1000.0, MEASURED).after_deleting(0.5).ratio, 3)
        0.6
        """
        return Bloat(1 - (1 - self.ratio) * (1 - share), self.size_bytes, self.how)


def measured(
    *,
    leaf_pages: float,
    internal_pages: float,
    leaf_density: float,
    size_bytes: float,
    page_bytes: float,
    fillfactor: float,
) -> Bloat:
    """From a row of pgstatindex: leaves that are denser than the fillfactor count as full, as a rebuild gains nothing.

    :param leaf_density: percent of the leaves' space that is used; NaN of an index without leaves
    """
    if size_bytes <= 0:
        return Bloat(0.0, 0.0, MEASURED)
    fullness = 0.0 if math.isnan(leaf_density) else min(1.0, leaf_density / fillfactor)
    needed = (1 + internal_pages * fullness + math.ceil(leaf_pages * fullness)) * page_bytes
    return _of(needed, size_bytes, MEASURED)


def estimated(
    *, entries: float, width_bytes: float, size_bytes: float, page_bytes: float, fillfactor: float
) -> Bloat:
    """From the number of entries and the average width of their columns; padding is taken as it is at most.

    Source: https://github.com/ioguix/pgsql-bloat-estimation (btree)
    """
    entry = _ITEM_POINTER + _TUPLE_HEADER + _ALIGN * math.ceil(width_bytes / _ALIGN)
    room = (page_bytes - _PAGE_HEADER - _SPECIAL) * fillfactor / 100
    leaves = math.ceil(entries / max(1, room // entry))
    return _of((1 + leaves + math.ceil(leaves / 100)) * page_bytes, size_bytes, ESTIMATED)


def _of(needed_bytes: float, size_bytes: float, how: str) -> Bloat:
    wasted = max(0.0, size_bytes - needed_bytes)
    return Bloat(wasted / size_bytes if size_bytes else 0.0, size_bytes, how)
