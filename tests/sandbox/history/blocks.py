"""The past as TSDB blocks: OpenMetrics text, made into blocks by promtool.

promtool reads its whole input once per block, so every block gets a file of its own, with all series: blocks
that overlap would be merged by Prometheus right after its start. The blocks are long (--max-block-duration):
with the default of two hours there would be hundreds of them.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.sandbox.history.series import Series
from tests.sandbox.programs import program

BLOCK_HOURS = 486
BLOCK_SECONDS = BLOCK_HOURS * 3600
Group = tuple[Sequence[int], Iterable[Series]]
Run = Callable[[Sequence[str]], None]


def build_blocks(groups: Iterable[Group], scratch: Path, blocks: Path, run: Run) -> None:
    """Write each group's series at its times and make blocks of them with promtool, started by `run`."""
    scratch.mkdir(parents=True)
    blocks.mkdir(parents=True)
    for times, series in groups:
        write_text(times, series, scratch)
    paths = sorted(scratch.iterdir(), key=lambda path: -path.stat().st_size)
    for path in paths:
        with path.open("a") as file:
            file.write("# EOF\n")
    with ThreadPoolExecutor(max_workers=2) as pool:
        for future in [pool.submit(_make_blocks, run, path, blocks) for path in paths]:
            future.result()


def write_text(times: Sequence[int], series: Iterable[Series], folder: Path) -> None:
    """OpenMetrics text, a file per block, one series in memory at a time. The files' end is still missing."""
    bounds = _block_bounds(times)
    stamps = [str(time) for time in times]
    with ExitStack() as stack:
        paths = [folder / f"{times[first] // BLOCK_SECONDS}.txt" for first, _ in bounds]
        files = [stack.enter_context(path.open("a", 1 << 20)) for path in paths]
        for one in series:
            key = one.key()
            for file, (first, last) in zip(files, bounds, strict=True):
                pairs = zip(one.values[first:last], stamps[first:last], strict=True)
                file.write("\n".join([f"{key} {value} {stamp}" for value, stamp in pairs]) + "\n")


def _block_bounds(times: Sequence[int]) -> list[tuple[int, int]]:
    """The parts of `times` that fall into one block each, as slices."""
    starts = [i for i, t in enumerate(times) if i == 0 or t // BLOCK_SECONDS != times[i - 1] // BLOCK_SECONDS]
    return list(zip(starts, [*starts[1:], len(times)], strict=True))


def _make_blocks(run: Run, text: Path, blocks: Path) -> None:
    run(
        [
            *(program("promtool"), "tsdb", "create-blocks-from", f"--max-block-duration={BLOCK_HOURS}h"),
            *("--quiet", "openmetrics", str(text), str(blocks)),
        ]
    )
    text.unlink()
