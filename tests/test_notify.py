"""Keeping and telling alarms: never twice, never lost, and never in the scheduler's way."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from docrag_ops import listener, notify
from docrag_ops.core.alarms import Alarm, Kind, failed_run
from docrag_ops.core.errors import UnreachableError
from docrag_ops.hooks.alarm_channels import Channel, ChannelError
from docrag_ops.hooks.alarm_spool import AlarmSpool
from docrag_ops.operators.delivery import deliver

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def failed(run_id: str = "manual__1") -> Alarm:
    return failed_run(
        dag_id="daily_health_check", run_id=run_id, clear_number=0, at=NOW, reason="task_failure"
    )


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlarmSpool:
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    monkeypatch.setattr(notify, "_history_is_left_alone_until", 0.0)
    monkeypatch.setattr(listener, "_import_errors_seen", {})
    return AlarmSpool()


@pytest.fixture
def silent_history(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host that takes connections and never says a word, as behind a broken load balancer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        known = {"conn_type": "postgres", "host": "127.0.0.1", "port": server.getsockname()[1], "login": "x"}
        monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_HISTORY", json.dumps(known))
        yield


@pytest.fixture
def no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "login": "x"}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_HISTORY", json.dumps(known))


class Sent:
    """Channels that keep what they are sent; those named refuse."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.refusing: set[str] = set()
        self.got: list[tuple[str, str]] = []
        monkeypatch.setattr(
            "docrag_ops.hooks.alarm_channels.channels",
            lambda: [Channel(name, self._send(name)) for name in names],
        )

    def _send(self, name: str):
        def send(title: str, text: str, *, is_test: bool) -> None:
            if name in self.refusing:
                raise ChannelError(f"{name} did not take the message: 503")
            self.got.append((name, title))

        return send


def run(run_id: str = "manual__1") -> SimpleNamespace:
    """A failed run, as the scheduler has it."""
    return SimpleNamespace(dag_id="daily_health_check", run_id=run_id, clear_number=0, start_date=NOW)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Alarm]:
    """The alarms that the history was asked to keep."""
    alarms: list[Alarm] = []
    write = notify._write

    def count(alarm: Alarm, written: Future[None]) -> None:
        alarms.append(alarm)
        write(alarm, written)

    monkeypatch.setattr(notify, "_write", count)
    return alarms


@pytest.mark.usefixtures("silent_history")
def test_history_that_hangs_is_asked_once_in_a_while_and_nothing_is_lost(spool, asked):
    for number in range(3):
        listener.on_dag_run_failed(run(f"manual__{number}"), "task_failure")
    assert len(asked) == 1
    assert {one.alarm.run_id for one in spool.waiting()} == {"manual__0", "manual__1", "manual__2"}


def test_listener_is_done_within_a_second_while_the_history_is_still_asked(spool, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(notify, "_write", lambda *_: over.wait(60))
    began = time.monotonic()
    listener.on_dag_run_failed(run(), "task_failure")
    assert time.monotonic() - began < 30  # it waits LISTENER_SECONDS
    over.set()
    assert notify.LISTENER_SECONDS < 1
    assert {one.alarm.run_id for one in spool.waiting()} == {"manual__1"}


@pytest.mark.usefixtures("no_history")
def test_listener_never_raises_when_nothing_can_be_kept(monkeypatch, caplog):
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", "/proc/nowhere")
    listener.on_dag_run_failed(run(), "task_failure")
    listener.on_new_dag_import_error("/dags/a.py", "NameError")
    assert caplog.text.count("An alarm could be kept nowhere") == 2


@pytest.mark.usefixtures("no_history")
def test_import_error_that_comes_with_every_parsing_is_written_once(spool, monkeypatch):
    listener.on_new_dag_import_error("/dags/a.py", "NameError")
    spool.forget(spool.waiting()[0].alarm)
    listener.on_existing_dag_import_error("/dags/a.py", "NameError")
    assert spool.waiting() == []


@pytest.mark.usefixtures("no_history")
def test_callback_without_a_run_in_its_context_still_alarms(spool, monkeypatch):
    sent = Sent(monkeypatch, "JSON #1")
    context = {
        "dag": SimpleNamespace(dag_id="daily_health_check"),
        "run_id": "manual__1",
        "reason": "timed_out",
    }
    notify.alarm_failed_run(context)
    assert sent.got == [
        ("JSON #1", "daily_health_check failed: the run took longer than it may and was stopped")
    ]


@pytest.mark.usefixtures("no_history")
def test_callback_and_listener_tell_it_once(monkeypatch):
    sent = Sent(monkeypatch, "JSON #1")
    listener.on_dag_run_failed(run(), "task_failure")
    context = {"dag": SimpleNamespace(dag_id="daily_health_check"), "run_id": "manual__1", "dag_run": run()}
    notify.alarm_failed_run(context)
    notify.alarm_failed_run(context)
    assert len(sent.got) == 1


def deadline_context(state: str) -> dict:
    """As Airflow hands it to a deadline's callback."""
    run = {
        "dag_id": "daily_health_check",
        "dag_run_id": "scheduled__1",
        "state": state,
        "logical_date": "2026-07-01T09:00:00Z",
        "queued_at": "2026-07-01T09:00:01Z",
        "run_after": "2026-07-01T09:00:00Z",
    }
    return {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2026-07-01T09:30:00Z"}}


@pytest.mark.usefixtures("no_history")
@pytest.mark.parametrize(("state", "count"), [("running", 1), ("queued", 1), ("success", 0), ("failed", 0)])
def test_deadline_alarms_only_while_the_run_is_unfinished(state: str, count: int, monkeypatch):
    sent = Sent(monkeypatch, "JSON #1")
    asyncio.run(notify.alarm_late_run(context=deadline_context(state)))
    assert len(sent.got) == count


def test_channel_that_took_the_message_does_not_get_it_again(spool, monkeypatch):
    sent = Sent(monkeypatch, "Slack #1", "JSON #2")
    sent.refusing = {"JSON #2"}
    spool.record(failed())
    assert not deliver(spool, spool.claim())
    sent.refusing = set()
    assert deliver(spool, spool.claim())
    assert [name for name, _ in sent.got] == ["Slack #1", "JSON #2"]


def test_message_that_cannot_be_made_does_not_lose_the_alarm(spool, monkeypatch):
    Sent(monkeypatch, "JSON #1")
    monkeypatch.setattr("docrag_ops.operators.delivery.message_about", lambda _: 1 / 0)
    spool.record(failed())
    assert not deliver(spool, spool.claim())
    assert "unexpected ZeroDivisionError" in spool.waiting()[0].last_error


def test_connection_that_names_no_channel_is_said(spool, monkeypatch):
    Sent(monkeypatch)
    spool.record(Alarm(kind=Kind.TEST, dag_id="d", run_id="r", clear_number=0, happened_at=NOW))
    assert not deliver(spool, spool.claim())
    assert "names no channel" in spool.waiting()[0].last_error


@pytest.mark.parametrize("kept_before", [False, True], ids=["first", "after the listener's file"])
def test_what_was_sent_when_the_history_went_away_is_not_sent_again(spool, monkeypatch, kept_before: bool):
    """A listener that leaves the history alone for a while has a file of the alarm that a callback sends."""

    class Lost(AlarmSpool):
        def delivered(self, *_: object, **__: object) -> None:
            raise UnreachableError("gone")

    sent = Sent(monkeypatch, "JSON #1")
    lost = Lost(spool.folder.parent / "another")
    lost.record(failed())
    if kept_before:
        spool.record(failed())
    assert deliver(lost, lost.claim())
    assert (len(sent.got), spool.waiting()) == (1, [])
    handed = []
    spool.drain(lambda _, **options: handed.append(options["delivered_at"]))
    assert None not in handed
    assert len(handed) == 1
