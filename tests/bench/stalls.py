"""How long a reader and a writer are kept waiting by a maintenance: ours, the guide's, and by none at all.

Each round measures the guide, ours and the same load alone (for as long as ours took), on fresh copies of the data. The
longest wait is that of one statement on an indexed row; what the load waits without any maintenance is taken off ours.
"""

import statistics
import time
from functools import cache
from typing import Any

from tests.bench.database_care import (
    LOCK_TIMEOUT_SECONDS,
    afterwards,
    fresh_copy,
    guide,
    server_and_process,
)
from tests.bench.database_load import at_work
from tests.bench.figures import Figure

GOAL = 0.05
ROUNDS = 2
"""Each takes minutes, and all figures together are to take less than fifteen."""
SHORTEST_GUIDE_STALL_SECONDS = 5.0


@cache
def rounds() -> list[dict[str, Any]]:
    """What each round measured; both figures come from the same rounds."""
    found = []
    settings, ask = server_and_process()
    for number in range(ROUNDS):
        one: dict[str, Any] = {}
        with fresh_copy(settings) as where:
            with at_work(where) as waited:
                one["theirs_took"] = guide(where)
            one |= {"theirs": waited, "theirs_after": afterwards(settings)}
        with fresh_copy(settings) as where:
            began = time.perf_counter()
            with at_work(where) as waited:
                one["said"] = ask({"do": "maintain", "run_id": f"round {number} {time.time()}"})["said"]
            one |= {
                "ours": waited,
                "ours_took": time.perf_counter() - began,
                "ours_after": afterwards(settings),
            }
        with fresh_copy(settings) as where, at_work(where) as waited:
            time.sleep(one["ours_took"])
        one["idle"] = waited
        found.append(one)
    return found


def stall(name: str, kind: str) -> Figure:
    """The figure for readers or writers."""
    found = rounds()
    ours, theirs, idle = (
        [float(one[side][f"{kind}_seconds"]) for one in found] for side in ("ours", "theirs", "idle")
    )
    if statistics.median(theirs) < SHORTEST_GUIDE_STALL_SECONDS and kind == "writer":
        raise RuntimeError(
            f"The guide's SQL stalled a writer for {max(theirs):.1f} s only; more rows are needed"
        )
    beyond = [max(0.0, mine - alone) for mine, alone in zip(ours, idle, strict=True)]
    ratios = [mine / his for mine, his in zip(beyond, theirs, strict=True)]
    details = {
        "ours_seconds": round(statistics.median(ours), 3),
        "ours_worst_beyond_seconds": round(max(beyond), 3),
        "without_seconds": round(statistics.median(idle), 3),
        "theirs_seconds": round(statistics.median(theirs), 3),
        "lock_timeout_seconds": LOCK_TIMEOUT_SECONDS,
        "rounds": len(found),
        "ours_took": round(statistics.median(one["ours_took"] for one in found), 1),
        "theirs_took": round(statistics.median(one["theirs_took"] for one in found), 1),
        "ours_after": found[-1]["ours_after"],
        "theirs_after": found[-1]["theirs_after"],
    }
    ratio = round(statistics.median(ratios), 3)
    return Figure(
        name=name, ratio=ratio, goal=GOAL, details=details, within=max(beyond) <= LOCK_TIMEOUT_SECONDS
    )
