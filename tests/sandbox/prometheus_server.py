"""The real Prometheus: its configuration, its past, and the time the sandbox was down."""

from pathlib import Path

from tests.sandbox import processes
from tests.sandbox.history import keeper
from tests.sandbox.local_http import answers, post
from tests.sandbox.programs import program
from tests.sandbox.settings import REPOSITORY, Settings

NAME = "prometheus"
RETENTION = "100d"
SHIPPED_RULES = REPOSITORY / "include/promql/rules"

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
rule_files: ["{folder}/rules/*.yml", "{shipped}/*.yaml"]
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
        keeper.prepare(settings)
        _write_configuration(settings)
    processes.start(
        settings,
        NAME,
        [
            program("prometheus"),
            f"--config.file={config_folder(settings) / 'prometheus.yml'}",
            f"--storage.tsdb.path={keeper.folder(settings) / 'data'}",
            f"--storage.tsdb.retention.time={RETENTION}",
            f"--web.listen-address=127.0.0.1:{settings.prometheus_port}",
            "--web.enable-lifecycle",
            "--web.enable-admin-api",
            "--web.enable-remote-write-receiver",
            "--rules.alert.resend-delay=5s",  # after a reload, the first notification may find no Alertmanager
            "--log.level=warn",
        ],
        port=settings.prometheus_port,
        cwd=keeper.folder(settings),
        ready=lambda: answers(f"{url(settings)}/-/ready"),
    )
    keeper.fill_gap(settings)


def stop(settings: Settings) -> bool:
    return processes.stop(settings, NAME)


def url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.prometheus_port}"


def config_folder(settings: Settings) -> Path:
    """prometheus.yml, and the folders `rules` and `targets` that it reads."""
    return settings.state_dir / NAME


def reload(settings: Settings) -> None:
    post(f"{url(settings)}/-/reload")


def _write_configuration(settings: Settings) -> None:
    folder = config_folder(settings)
    for sub in ("rules", "targets"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    text = CONFIGURATION.format(
        folder=folder,
        shipped=SHIPPED_RULES,
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
