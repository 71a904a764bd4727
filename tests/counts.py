"""What the tests counted, printed at the end of `make test`: how many faults were tried, how many were found."""

from collections import Counter

COUNTS: Counter[str] = Counter()
