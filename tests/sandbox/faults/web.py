"""Faults of the API, of the Qdrant stand-in and of the receiver of alarms."""

import http.client
import json
import time
import urllib.parse
import urllib.request

from tests.sandbox import parts, processes, prometheus_server
from tests.sandbox.api.app import CONTROL_HEADER
from tests.sandbox.faults.fault import Fault, State, wait_for
from tests.sandbox.local_http import post
from tests.sandbox.passwords import passwords
from tests.sandbox.settings import Settings

API_SERIES = '{job="api",__name__=~"http_.*|auth_.*"}'


def stopped(part: str, *, what: str, name: str = "") -> Fault:
    """A fault that is a part not running."""
    return Fault(
        name or f"{part}_down",
        what,
        lambda settings, state: _ignore(parts.part(part).stop(settings)),
        lambda settings, state: parts.part(part).start(settings),
        dies_with_down=True,
    )


BURST_REQUESTS = 1500


def api_switch(name: str, what: str, *, burst: bool = False) -> Fault:
    """A fault that the API itself has a switch for; afterwards nothing of it stays in the metrics.

    `burst`: many requests meet it at once, so that a share over 15 minutes shows it without waiting for minutes.
    """

    def on(settings: Settings, state: State) -> None:
        _switch(settings, settings.api_port, name, on=True)
        if burst:
            _ask_much(settings)
            wait_for_scrape(settings)

    def off(settings: Settings, state: State) -> None:
        forget_bad_answers(settings, state["since"])

    return Fault(name, what, on, off)


def _ask_much(settings: Settings) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", settings.api_port, timeout=10)
    for number in range(BURST_REQUESTS):
        connection.request("GET", f"/documents/{number % 100 + 1}")
        connection.getresponse().read()
    connection.close()


def wait_for_scrape(settings: Settings) -> None:
    """Until Prometheus, where it runs, has read what the API has counted up to now."""
    if not processes.alive(settings, "prometheus"):
        return
    query = urllib.parse.urlencode({"query": f'min(timestamp(up{{job="api"}})) > {time.time() + 1:.3f}'})

    def read() -> bool:
        with urllib.request.urlopen(
            f"{prometheus_server.url(settings)}/api/v1/query?{query}", timeout=10
        ) as answer:
            return bool(json.load(answer)["data"]["result"])

    wait_for("Prometheus to read what the API counts", read)


def forget_bad_answers(settings: Settings, since: float) -> None:
    """Healthy again at once, although Prometheus looks back: what the API counted since then is deleted.

    The API starts anew, so that its counters do not bring it all back. `since`: seconds since the epoch.
    """
    parts.part("api").stop(settings)
    if processes.alive(settings, "prometheus"):
        query = urllib.parse.urlencode({"match[]": API_SERIES, "start": since - 1, "end": time.time()})
        post(f"{prometheus_server.url(settings)}/api/v1/admin/tsdb/delete_series?{query}")
    parts.part("api").start(settings)


def collection_red(settings: Settings, state: State) -> None:
    _switch(settings, settings.qdrant_port, "qdrant_collection_red", on=True)


def not_collection_red(settings: Settings, state: State) -> None:
    _switch(settings, settings.qdrant_port, "qdrant_collection_red", on=False)


def _switch(settings: Settings, port: int, name: str, *, on: bool) -> None:
    address = f"http://127.0.0.1:{port}/sandbox/faults/{name}"
    request = urllib.request.Request(address, data=json.dumps({"on": on}).encode(), method="POST")
    request.add_header(CONTROL_HEADER, passwords(settings)["control"])
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def _ignore(_: object) -> None:
    return None


FAULTS = (
    stopped("api", what="the API does not run"),
    api_switch("api_slow", "every answer takes 3 seconds longer"),
    api_switch("api_wrong_answer", "the known question gets a wrong answer"),
    api_switch("api_errors", "30 % of all answers are errors 500", burst=True),
    stopped("qdrant", what="Qdrant does not run"),
    Fault(
        "qdrant_collection_red",
        "the collection is red, its optimizer failed",
        collection_red,
        not_collection_red,
    ),
    stopped("alarms", name="alarm_receiver_down", what="nobody receives alarms"),
)
