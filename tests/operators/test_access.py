"""What the kubelet did not serve of a log is said where it is asked whether the logs could be read."""

from datetime import datetime, timedelta

import pytest

from docrag_ops.core.measurements import Measured
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.operators.sources import access
from tests.asking import asking_for

LINE = "INFO: all is well, " + "x" * 180


class Pods:
    """One pod of every workload, whose log begins so many hours ago."""

    def __init__(self, now: datetime, hours: float) -> None:
        self._began = now - timedelta(hours=hours)

    def pods_of(self, kind: str, namespace: str, name: str) -> list[tuple[PodName, bool]]:
        return [(PodName(namespace, f"{name}-1"), True)]

    def stream_logs(self, pod: PodName, container: str, *, previous: bool, **_: float) -> list[bytes]:
        line = f"{self._began:%Y-%m-%dT%H:%M:%S}.000000000Z {LINE}\n"
        return [] if previous else [(line * 6_000).encode()]


@pytest.mark.parametrize(("hours", "missing"), [(2, True), (23.9, False)])
def test_long_log_that_begins_late_is_said_to_be_incomplete(monkeypatch, hours: float, missing: bool):
    asking = asking_for("1")
    monkeypatch.setattr(access, "ClusterHook", lambda: Pods(asking.now, hours))
    checks = [one for one in IncludeFolder().checks("access") if one.name == "access_lines"]
    outcome = access.answer(checks, asking)["access_lines"]
    assert isinstance(outcome, Measured)
    assert any("rotated the rest away" in one.not_judged for one in outcome.measurements) is missing
