"""Bloat, on what a real PostgreSQL 15.18 answered: indexes new, with three of four rows deleted, and built anew."""

import math

import pytest

from docrag_ops.core.maintenance import bloat

# Recorded: pgstatindex of three B-trees over 100,000 rows (bigint, md5 text, one repeated time), of which 75,000 were
# then deleted and vacuumed; last column: the size in bytes after REINDEX, which the others are held against.
RECORDED = {
    "pkey": (
        {"leaf_pages": 274.0, "internal_pages": 1.0, "size_bytes": 2260992.0},
        {"new": 89.83, "deleted": 22.68},
        581632.0,
    ),
    "name": (
        {"leaf_pages": 715.0, "internal_pages": 8.0, "size_bytes": 5931008.0},
        {"new": 89.9, "deleted": 22.99},
        1499136.0,
    ),
    "made": (
        {"leaf_pages": 85.0, "internal_pages": 1.0, "size_bytes": 712704.0},
        {"new": 89.17, "deleted": 24.44},
        188416.0,
    ),
}


def measured(name: str, state: str) -> bloat.Bloat:
    pages, densities, _ = RECORDED[name]
    return bloat.measured(**pages, leaf_density=densities[state], page_bytes=8192.0, fillfactor=90.0)


@pytest.mark.parametrize("name", RECORDED)
def test_new_index_has_next_to_none(name: str):
    assert measured(name, "new").ratio < 0.02


@pytest.mark.parametrize("name", RECORDED)
def test_measured_bloat_is_what_a_rebuild_gave_back(name: str):
    found, (pages, _, rebuilt) = measured(name, "deleted"), RECORDED[name]
    assert found.wasted_bytes == pytest.approx(pages["size_bytes"] - rebuilt, rel=0.05)
    assert found.how == bloat.MEASURED


@pytest.mark.parametrize(
    ("width", "size", "rebuilt"), [(8.0, 2260992.0, 581632.0), (33.0, 5931008.0, 1499136.0)]
)
def test_estimated_bloat_is_near_what_a_rebuild_gave_back(width: float, size: float, rebuilt: float):
    """Recorded from pg_class and pg_stats of the same indexes."""
    found = bloat.estimated(
        entries=25000.0, width_bytes=width, size_bytes=size, page_bytes=8192.0, fillfactor=90.0
    )
    assert found.wasted_bytes == pytest.approx(size - rebuilt, rel=0.03)
    assert found.how == bloat.ESTIMATED


def test_estimate_of_repeated_values_is_cautious():
    """Recorded; equal keys are stored once since PostgreSQL 13: the estimate knows less waste than there is."""
    found = bloat.estimated(
        entries=25000.0, width_bytes=8.0, size_bytes=712704.0, page_bytes=8192.0, fillfactor=90.0
    )
    assert 0 < found.wasted_bytes < 712704 - 188416


def test_index_that_was_never_filled_wastes_nothing_worth_telling():
    """Recorded: an empty B-tree is one page without leaves, of which pgstatindex says NaN."""
    found = bloat.measured(
        leaf_pages=0, internal_pages=0, leaf_density=math.nan, size_bytes=8192, page_bytes=8192, fillfactor=90
    )
    assert found.wasted_bytes == 0


def test_index_of_no_pages_is_none():
    found = bloat.measured(
        leaf_pages=0, internal_pages=0, leaf_density=math.nan, size_bytes=0, page_bytes=8192, fillfactor=90
    )
    assert found.ratio == 0


def test_denser_than_the_fillfactor_is_no_negative_bloat():
    found = bloat.measured(
        leaf_pages=100,
        internal_pages=1,
        leaf_density=99,
        size_bytes=102 * 8192,
        page_bytes=8192,
        fillfactor=90,
    )
    assert found.ratio == 0
