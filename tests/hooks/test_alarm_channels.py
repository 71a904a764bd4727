"""Channels: each is asked on its own, and none of their secrets is ever said."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from docrag_ops.hooks.alarm_channels import ChannelError, channels, without_secrets
from docrag_ops.hooks.dead_man import tell_dead_man

TOKEN = "T0KEN-of-the-webhook"


class Receiver(ThreadingHTTPServer):
    """Takes messages, or answers 500 to paths that hold `refuse`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.got: list[tuple[str, dict]] = []


class Request(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, json.loads(body)))
        self._answer()

    def do_GET(self) -> None:
        self.server.got.append((self.path, {}))
        self._answer()

    def _answer(self) -> None:
        self.send_response(500 if "refuse" in self.path else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, receiver: Receiver):
    def to(*paths: str, **extra: object) -> None:
        config = [
            {"path": f"json://127.0.0.1:{receiver.server_port}/{path}", "tag": "alarm"} for path in paths
        ]
        connection = {"conn_type": "apprise", "extra": {"config": config, **extra}}
        monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_ALARM", json.dumps(connection))

    return to


def test_message_arrives_as_it_was_written(connect, receiver):
    connect(TOKEN)
    (channel,) = channels()
    channel.send("Title <b>", "one & two\nthree")
    (path, body) = receiver.got[0]
    assert (path.strip("/"), body["title"], body["message"]) == (TOKEN, "Title <b>", "one & two\nthree")


def test_channels_are_named_without_their_address(connect):
    connect(f"a/{TOKEN}", "b")
    assert [one.name for one in channels()] == ["JSON #1", "JSON #2"]


def test_refused_message_says_by_whom_and_why_and_no_secret(connect):
    connect(f"refuse/{TOKEN}")
    with pytest.raises(ChannelError, match=r"JSON #1 did not take the message: .*500") as caught:
        channels()[0].send("t", "x")
    assert TOKEN not in str(caught.value)


def test_absent_connection_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_DOCRAG_ALARM", raising=False)
    with pytest.raises(ChannelError, match=r"docrag_alarm.*Create it"):
        channels()


@pytest.mark.parametrize("extra", [{}, {"config": "no json"}])
def test_extra_that_cannot_be_read_says_what_is_expected(monkeypatch, extra):
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_ALARM", json.dumps({"conn_type": "apprise", "extra": extra}))
    with pytest.raises(ChannelError, match=r"expected e\.g\."):
        channels()


def test_service_that_apprise_does_not_know_is_said_by_its_place(monkeypatch):
    extra = {"config": {"path": f"nosuch://{TOKEN}", "tag": "alarm"}}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_ALARM", json.dumps({"conn_type": "apprise", "extra": extra}))
    with pytest.raises(ChannelError, match="path number 1") as caught:
        channels()
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "is_escaped", "most"),
    [
        ("slack://TokenA1234/TokenB5678/Tokenabcdefghijklmnopqrstuvw/#ops", True, 40_000),
        (
            "pagerduty://abcdefghijklmnopqrstuvwxyzabcdef@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/airflow/docrag",
            False,
            1500,
        ),
    ],
    ids=["Slack", "PagerDuty"],
)
def test_service_gets_one_message_that_fits_and_is_not_interpreted(monkeypatch, path, is_escaped, most):
    sent = []
    ok = SimpleNamespace(status_code=202 if "pagerduty" in path else 200, content=b"ok", text="ok")
    monkeypatch.setattr("requests.Session.request", lambda *_, **keys: sent.append(keys["data"]) or ok)
    extra = {"config": {"path": path, "tag": "alarm"}}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_ALARM", json.dumps({"conn_type": "apprise", "extra": extra}))
    channels()[0].send("CRITICAL", "Run: http://airflow/run\n<!channel> " + "evidence " * 3000)
    (body,) = sent
    text = body if isinstance(body, str) else body.decode()
    assert "http://airflow/run" in text
    assert ("<!channel>" not in text) is is_escaped
    assert len(text) < most


def test_encoded_secret_is_found_in_clear_text():
    assert "p4ss/w0rd" not in without_secrets(
        "login with p4ss/w0rd failed", "mailtos://me:p4ss%2Fw0rd@example.org"
    )


def test_dead_man_is_called_by_scheduled_runs(connect, receiver):
    connect("x", dead_man={"daily_health_check": f"http://127.0.0.1:{receiver.server_port}/ping/{TOKEN}"})
    tell_dead_man("daily_health_check", run_type="manual")
    tell_dead_man("another_entry", run_type="scheduled")
    tell_dead_man("daily_health_check", run_type="scheduled")
    assert [path for path, _ in receiver.got] == [f"/ping/{TOKEN}"]


def test_dead_man_that_does_not_answer_is_logged_without_its_address(connect, caplog):
    connect("x", dead_man={"daily_health_check": f"http://127.0.0.1:1/ping/{TOKEN}"})
    tell_dead_man("daily_health_check", run_type="scheduled")
    assert "was not called" in caplog.text
    assert TOKEN not in caplog.text
