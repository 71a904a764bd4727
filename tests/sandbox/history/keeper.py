"""Prometheus' past on disk: built once and whole, and the time nothing ran in filled at a later start."""

import hashlib
import json
import shutil
import time
import urllib.error
from pathlib import Path
from typing import Any

from tests.sandbox import processes, traffic
from tests.sandbox.errors import SandboxError
from tests.sandbox.history import blocks, remote_write, series, workloads
from tests.sandbox.settings import PACKAGE, Settings

RECENT_DAYS = 10  # most windows of checks reach back a week; before that, every other sample will do
SHORTEST_GAP_SECONDS = 10
LONGEST_GAP_SECONDS = 30 * traffic.DAY


def prepare(settings: Settings) -> None:
    """Before Prometheus starts: build the past unless it is there, and note where it ends."""
    if not _has_history(settings):
        _build_history(settings)
    _note_gap(settings)


def built_at(settings: Settings) -> float:
    """When the past was built: the anchor of the model of use. Now, when there is none yet."""
    state = _read(folder(settings) / "history.json")
    return float(state.get("built_at", time.time()))


def _has_history(settings: Settings) -> bool:
    """Whether the past was built whole, as asked, and ends recently enough to be filled up to now."""
    state = _read(folder(settings) / "history.json")
    return (
        state.get("shape") == _shape(settings) and time.time() - _last_sample(settings) < LONGEST_GAP_SECONDS
    )


def _build_history(settings: Settings) -> None:
    """The past up to now, built beside and renamed when whole."""
    whole = folder(settings)
    partial = whole.with_name(f"{whole.name}.partial")
    for leftover in (partial, whole):
        shutil.rmtree(leftover, ignore_errors=True)
    now = int(time.time())
    begin = now - settings.history_days * traffic.DAY
    recent = max(begin, now - RECENT_DAYS * traffic.DAY)
    step = settings.history_step_seconds
    api_times = [*range(begin, recent, 2 * step), *range(recent, now + 1, step)]
    workload_times = range(begin, now + 1, 2 * step)
    past = workloads.workload_series(_workloads_now(settings), workload_times, now)
    groups = [(api_times, series.api_series(api_times, now)), (workload_times, past)]
    blocks.build_blocks(
        groups,
        partial / "text",
        partial / "data",
        lambda argv: processes.run(settings, "promtool", argv, timeout_seconds=300),
    )
    shutil.rmtree(partial / "text")
    (partial / "history.json").write_text(json.dumps({"built_at": now, "shape": _shape(settings)}))
    partial.rename(whole)


def _shape(settings: Settings) -> str:
    """Changes with the length of the past and with the code that makes it, so that `up` then builds anew."""
    code = [PACKAGE / "traffic.py", *sorted((PACKAGE / "history").glob("*.py"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in code)).hexdigest()[:12]
    return f"{settings.history_days} days every {settings.history_step_seconds} s, {digest}"


def _workloads_now(settings: Settings) -> list[workloads.Sample]:
    try:
        return workloads.read_now(f"http://127.0.0.1:{settings.kubernetes_control_port}/sandbox/metrics")
    except OSError as error:
        port = settings.kubernetes_control_port
        raise SandboxError(
            f"The stand-in cluster's metrics on port {port} cannot be read: {error}"
        ) from error


def _last_sample(settings: Settings) -> float:
    """When Prometheus last wrote: the end of its newest block, or the last write to its log."""
    data = folder(settings) / "data"
    ends: list[float] = [_read(meta).get("maxTime", 0) / 1000 for meta in data.glob("*/meta.json")]
    writes: list[float] = [
        path.stat().st_mtime for path in (data / "wal").glob("[0-9]*") if path.stat().st_size
    ]
    return max([0.0, *ends, *writes])


def _note_gap(settings: Settings) -> None:
    """Remember where the samples end before Prometheus starts, since its start writes to the log."""
    path = folder(settings) / "gap.json"
    if not path.exists():
        path.write_text(json.dumps({"begin": _last_sample(settings)}))


def fill_gap(settings: Settings) -> None:
    """Samples for the time in which nobody used the API. If it was used meanwhile, the gap is a real one."""
    path = folder(settings) / "gap.json"
    gap = _read(path)
    if not gap:
        return
    load = processes.find(settings, "load")
    end = load.started_at if load else time.time()
    if end - gap["begin"] >= SHORTEST_GAP_SECONDS:
        times = range(int(gap["begin"]) + 1, int(end), _step(settings, end - gap["begin"]))
        everything = [*series.api_series(times, built_at(settings))]
        everything += workloads.workload_series(_workloads_now(settings), times, built_at(settings))
        try:
            remote_write.send(f"http://127.0.0.1:{settings.prometheus_port}/api/v1/write", times, everything)
        except urllib.error.HTTPError as error:
            raise SandboxError(f"Prometheus refused samples of the past: {error.read().decode()}") from error
    path.unlink()


def _step(settings: Settings, gap_seconds: float) -> int:
    """Fine enough for a window of minutes to hold samples, coarse enough to be sent in a second or two."""
    if gap_seconds > 2 * traffic.DAY:
        return 5 * settings.history_step_seconds
    return max(2, min(settings.history_step_seconds, int(gap_seconds / 10)))


def folder(settings: Settings) -> Path:
    return settings.data_dir / "prometheus"


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return {}
