"""Nine days in a real Prometheus, written so that everything about them can be worked out by hand.

A sample a minute, at the half minute. 60 valid requests a minute until 8 June, then one every two minutes. Of 100
requests 90 take up to 0.1 s and 97 up to 0.5 s. Probes of their own (/healthz) are asked, and fail, all the time.

    1 June 00:00             it begins
    1 June 02:00 - 04:30     both pods are gone, and with them Prometheus' targets; another target is there
    5 June 12:00 - 14:00     an incident: a quarter fails; none takes up to 0.1 s, half up to 0.5 s
    6 June 03:00 - 03:30     an outage: both pods are down; afterwards their counters begin again
    7 June 10:00 - 12:30     a gap: Prometheus is down, the service is not
    8 June 00:00             low traffic
    8 June 12:30             one request fails
    9 June 00:20             now
"""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.sandbox import processes
from tests.sandbox.history import blocks, keeper
from tests.sandbox.history.series import Series
from tests.sandbox.local_http import answers
from tests.sandbox.programs import program
from tests.sandbox.settings import Settings

MINUTE = 60


def june(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


BEGIN, NOW = june(1), june(9, 0, 20)
GONE, INCIDENT, OUTAGE, GAP = (
    (june(1, 2), june(1, 4, 30)),
    (june(5, 12), june(5, 14)),
    (june(6, 3), june(6, 3, 30)),
    (june(7, 10), june(7, 12, 30)),
)
QUIET, ONE_FAILURE = june(8), june(8, 12, 30)
Counters = dict[str, float]


def start(settings: Settings) -> None:
    """Make the blocks and start Prometheus on them; it scrapes nothing."""
    folder = keeper.folder(settings)
    shutil.rmtree(folder, ignore_errors=True)
    blocks.build_blocks(
        list(_groups()),
        folder / "text",
        folder / "data",
        lambda argv: processes.run(settings, "promtool", argv, timeout_seconds=120),
    )
    (folder / "prometheus.yml").write_text("global: {}\n")
    processes.start(
        settings,
        "prometheus",
        [
            program("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{settings.prometheus_port}",
            "--log.level=warn",
        ],
        port=settings.prometheus_port,
        cwd=folder,
        ready=lambda: answers(f"http://127.0.0.1:{settings.prometheus_port}/-/ready"),
    )


def _groups() -> Iterator[blocks.Group]:
    up = {pod: {"job": "api", "instance": f"{pod}:8000"} for pod in ("api-1", "api-2")}
    counters = _none_yet()
    for first, last, is_seen, is_up in (
        (BEGIN, GONE[0], True, True),
        (*GONE, True, None),
        (GONE[1], OUTAGE[0], True, True),
        (*OUTAGE, True, False),
        (OUTAGE[1], GAP[0], True, True),
        (*GAP, False, True),
        (GAP[1], NOW, True, True),
    ):
        times = range(int(first.timestamp()) + MINUTE // 2, int(last.timestamp()), MINUTE)
        rows = [dict(_count(counters, time)) for time in times] if is_up else []
        if not is_up:
            counters = _none_yet()
        if is_seen:
            series = [
                Series("up", labels, [int(is_up)] * len(times)) for labels in up.values() if is_up is not None
            ]
            series.append(Series("up", {"job": "node", "instance": "node-1:9100"}, [1] * len(times)))
            series.append(
                Series("http_requests_total", {"job": "old"}, [60.0 * n for n, _ in enumerate(times)])
            )
            names = sorted(counters) if is_up else []
            series += [_series(name, [row[name] for row in rows]) for name in names]
            yield times, series


def _none_yet() -> Counters:
    return dict.fromkeys(("200", "500", "probe", "0.1", "0.5", "+Inf"), 0.0)


def _count(counters: Counters, time: int) -> Counters:
    """Half of this minute's requests are counted by its sample, the other half by the next one."""
    counted = {name: counters[name] + gain / 2 for name, gain in _gains(time).items()}
    for name, gain in _gains(time).items():
        counters[name] += gain
    if time - MINUTE // 2 == ONE_FAILURE.timestamp():
        counters["500"] += 1
    return counted


def _gains(time: int) -> Counters:
    asked = 60.0 if time < QUIET.timestamp() else 0.5
    bad = INCIDENT[0].timestamp() <= time < INCIDENT[1].timestamp()
    return {
        "200": asked * (0.75 if bad else 1),
        "500": asked * (0.25 if bad else 0),
        "probe": 6.0,
        "0.1": asked * (0 if bad else 0.9),
        "0.5": asked * (0.5 if bad else 0.97),
        "+Inf": asked,
    }


def _series(name: str, values: list[float]) -> Series:
    labels = {"job": "api", "instance": "api-1:8000", "route": "/query"}
    if name in ("200", "500"):
        return Series("http_requests_total", {**labels, "status": name}, values)
    if name == "probe":
        return Series("http_requests_total", {**labels, "route": "/healthz", "status": "500"}, values)
    return Series("http_request_duration_seconds_bucket", {**labels, "le": name}, values)
