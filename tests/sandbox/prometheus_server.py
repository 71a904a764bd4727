"""The real Prometheus: its configuration, its past, and the time the sandbox was down."""

import json
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.sandbox import processes, traffic
from tests.sandbox.errors import SandboxError
from tests.sandbox.history import blocks, remote_write, series, workloads
from tests.sandbox.programs import program
from tests.sandbox.settings import Settings

NAME = "prometheus"
RETENTION = "100d"
RECENT_DAYS = 10  # the windows of checks reach back a week; before that, every other sample will do
SHORTEST_GAP_SECONDS = 10
LONGEST_GAP_SECONDS = 30 * traffic.DAY

ALERT = "EmbeddingQueueStalled"
RULES = """\
groups:
  - name: docrag
    rules:
      - alert: {alert}
        expr: vector(1) == {wanted}  # 1: it fires
        labels: {{severity: critical, namespace: doc-rag-prod, service: api}}
        annotations:
          summary: No document was embedded for 15 minutes
"""

CONFIGURATION = """\
global: {{scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}}
storage: {{tsdb: {{out_of_order_time_window: 31d}}}}  # what fills the gap after a stop comes late
rule_files: ["{folder}/rules/*.yml"]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]
scrape_configs:
  - job_name: api
    static_configs:
      - {{targets: ["127.0.0.1:{api}"], labels: {{instance: "api:8000"}}}}
    file_sd_configs: [{{files: ["{folder}/targets/*.json"], refresh_interval: 5s}}]
  - job_name: prometheus
    static_configs:
      - {{targets: ["127.0.0.1:{prometheus}"], labels: {{instance: "prometheus:9090"}}}}
  - job_name: alertmanager
    static_configs:
      - {{targets: ["127.0.0.1:{alertmanager}"], labels: {{instance: "alertmanager:9093"}}}}
  - job_name: kubelet
    metrics_path: /sandbox/metrics
    honor_timestamps: false
    static_configs:
      - {{targets: ["127.0.0.1:{kubelet}"], labels: {{instance: "kubelet:10250"}}}}
"""


def start(settings: Settings) -> None:
    if not processes.alive(settings, NAME):
        if not _has_history(settings):
            _build_history(settings)
        _note_gap(settings)
        _write_configuration(settings)
    processes.start(
        settings,
        NAME,
        [
            program("prometheus"),
            f"--config.file={config_folder(settings) / 'prometheus.yml'}",
            f"--storage.tsdb.path={_folder(settings) / 'data'}",
            f"--storage.tsdb.retention.time={RETENTION}",
            f"--web.listen-address=127.0.0.1:{settings.prometheus_port}",
            "--web.enable-lifecycle",
            "--web.enable-admin-api",
            "--web.enable-remote-write-receiver",
            "--rules.alert.resend-delay=5s",  # after a reload, the first notification may find no Alertmanager
            "--log.level=warn",
        ],
        port=settings.prometheus_port,
        cwd=_folder(settings),
        ready=lambda: answers(f"{url(settings)}/-/ready"),
    )
    _fill_gap(settings)


def stop(settings: Settings) -> bool:
    return processes.stop(settings, NAME)


def url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.prometheus_port}"


def config_folder(settings: Settings) -> Path:
    """prometheus.yml, and the folders `rules` and `targets` that it reads."""
    return settings.state_dir / NAME


def reload(settings: Settings) -> None:
    post(f"{url(settings)}/-/reload")


def post(address: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=10) as answer:
        answer.read()


def answers(address: str) -> bool:
    """Whether a GET is answered with 2xx."""
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except OSError:  # urllib's errors are OSErrors
        return False


def built_at(settings: Settings) -> float:
    """When the past was built: the anchor of the model of use. Now, when there is none yet."""
    state = _read(_folder(settings) / "history.json")
    return float(state.get("built_at", time.time()))


def _write_configuration(settings: Settings) -> None:
    folder = config_folder(settings)
    for sub in ("rules", "targets"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    text = CONFIGURATION.format(
        folder=folder,
        api=settings.api_port,
        prometheus=settings.prometheus_port,
        alertmanager=settings.alertmanager_port,
        kubelet=settings.kubernetes_control_port,
    )
    (folder / "prometheus.yml").write_text(text)
    write_rules(settings, firing=False)


def write_rules(settings: Settings, *, firing: bool) -> None:
    text = RULES.format(alert=ALERT, wanted=int(firing))
    (config_folder(settings) / "rules" / "docrag.yml").write_text(text)


def _has_history(settings: Settings) -> bool:
    """Whether the past was built whole, as asked, and ends recently enough to be filled up to now."""
    state = _read(_folder(settings) / "history.json")
    wanted = [settings.history_days, settings.history_step_seconds]
    return state.get("shape") == wanted and time.time() - _last_sample(settings) < LONGEST_GAP_SECONDS


def _build_history(settings: Settings) -> None:
    """The past up to now, built beside and renamed when whole."""
    folder = _folder(settings)
    partial = folder.with_name(f"{folder.name}.partial")
    for leftover in (partial, folder):
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
    shape = [settings.history_days, settings.history_step_seconds]
    (partial / "history.json").write_text(json.dumps({"built_at": now, "shape": shape}))
    partial.rename(folder)


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
    data = _folder(settings) / "data"
    ends = [_read(meta).get("maxTime", 0) / 1000 for meta in data.glob("*/meta.json")]
    writes = [path.stat().st_mtime for path in (data / "wal").glob("[0-9]*") if path.stat().st_size]
    return max([0.0, *ends, *writes])


def _note_gap(settings: Settings) -> None:
    """Remember where the samples end before Prometheus starts, since its start writes to the log."""
    path = _folder(settings) / "gap.json"
    if not path.exists():
        path.write_text(json.dumps({"begin": _last_sample(settings)}))


def _fill_gap(settings: Settings) -> None:
    """Samples for the time in which nobody used the API. If it was used meanwhile, the gap is a real one."""
    path = _folder(settings) / "gap.json"
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
            remote_write.send(f"{url(settings)}/api/v1/write", times, everything)
        except urllib.error.HTTPError as error:
            raise SandboxError(f"Prometheus refused samples of the past: {error.read().decode()}") from error
    path.unlink()


def _step(settings: Settings, gap_seconds: float) -> int:
    """Fine enough for a window of minutes to hold samples, coarse enough to be sent in a second or two."""
    if gap_seconds > 2 * traffic.DAY:
        return 5 * settings.history_step_seconds
    return max(2, min(settings.history_step_seconds, int(gap_seconds / 10)))


def _folder(settings: Settings) -> Path:
    return settings.data_dir / NAME


def _read(path: Path) -> dict[str, float]:
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return {}
