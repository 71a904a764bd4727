"""writer_stall: the longest that a writer waits beside our maintenance, against the guide's own SQL; see stalls.py."""

from tests.bench.figures import Figure
from tests.bench.stalls import stall

NAME = "writer_stall"


def measure() -> Figure:
    return stall(NAME, "writer")
