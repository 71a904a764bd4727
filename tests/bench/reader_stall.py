"""reader_stall: the longest that an indexed read waits beside our maintenance, against the guide's; see stalls.py."""

from tests.bench.figures import Figure
from tests.bench.stalls import stall

NAME = "reader_stall"


def measure() -> Figure:
    return stall(NAME, "reader")
