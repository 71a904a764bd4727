"""The real Alertmanager, with nobody to tell: alarms of the calendar go another way."""

from tests.sandbox import processes
from tests.sandbox.local_http import answers
from tests.sandbox.programs import program
from tests.sandbox.settings import Settings

NAME = "alertmanager"
CONFIGURATION = """\
route: {receiver: nobody, group_wait: 1s, group_interval: 5s, repeat_interval: 4h}
receivers: [{name: nobody}]
"""


def start(settings: Settings) -> None:
    folder = settings.data_dir / NAME
    folder.mkdir(parents=True, exist_ok=True)
    file = settings.state_dir / "alertmanager.yml"
    file.write_text(CONFIGURATION)
    processes.start(
        settings,
        NAME,
        [
            program("prometheus-alertmanager", "alertmanager"),
            f"--config.file={file}",
            f"--storage.path={folder}",
            f"--web.listen-address=127.0.0.1:{settings.alertmanager_port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ],
        port=settings.alertmanager_port,
        cwd=folder,
        ready=lambda: answers(f"http://127.0.0.1:{settings.alertmanager_port}/-/ready"),
    )


def stop(settings: Settings) -> bool:
    return processes.stop(settings, NAME)
