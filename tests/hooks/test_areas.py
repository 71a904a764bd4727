"""Whole areas when their system does not answer: everything is unknown, soon, and nobody is asked again and again."""

import time
from datetime import timedelta
from importlib import import_module

import pytest

from docrag_ops.core.results import AreaResult
from docrag_ops.core.tls import Seen, ServedCertificate
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks import cache
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.tls import TlsHook
from docrag_ops.operators.checks import CheckOperator
from tests.asking import NOW, asking_for
from tests.checks.conftest import KnownHistory
from tests.hooks.bad_servers import HTML, LIMIT_SECONDS, NO_ANSWER, answers, port_that_refuses, serving

NO_ANSWER_OR_PAGE = [*NO_ANSWER, answers(404, HTML, content_type="text/html")]
NOTHING = {"status": "success", "data": {"resultType": "vector", "result": []}}


@pytest.fixture(autouse=True, scope="module")
def imported() -> None:
    """Importing takes its own seconds, which are no waiting."""
    import_module("airflow.providers.cncf.kubernetes.hooks.kubernetes")
    import_module("airflow.providers.redis.hooks.redis")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docrag_ops.hooks.history.HistoryHook", KnownHistory)
    for name, seconds in {"ANSWER_SECONDS": 0.3, "CONNECT_SECONDS": 0.3, "RETRY_PAUSE_SECONDS": 0.01}.items():
        monkeypatch.setattr(cache, name, seconds)


def run(area: str) -> AreaResult:
    started = time.monotonic()
    result = CheckOperator(task_id=f"check_{area}", area=area).measure(asking_for("1"))
    assert time.monotonic() - started < LIMIT_SECONDS
    return result


def verdicts(result: AreaResult) -> dict[str, Verdict]:
    return {finding.check: finding.verdict for finding in result.findings}


def names(area: str) -> set[str]:
    return {check.name for check in IncludeFolder().checks(area)}


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_api_server_that_does_not_answer_makes_every_cluster_check_unknown(kubeconfig, behaviour):
    with serving(behaviour) as server:
        kubeconfig(server.port)
        result = run("cluster")
    assert verdicts(result) == dict.fromkeys(names("cluster"), Verdict.UNKNOWN)
    assert server.asked <= 3


def test_api_server_that_refuses_makes_every_cluster_check_unknown(kubeconfig):
    kubeconfig(port_that_refuses())
    assert verdicts(run("cluster")) == dict.fromkeys(names("cluster"), Verdict.UNKNOWN)


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_prometheus_that_does_not_answer_makes_every_traffic_check_unknown(connection, behaviour):
    with serving(behaviour) as server:
        connection("docrag_prometheus", port=server.port)
        result = run("traffic")
    assert verdicts(result) == dict.fromkeys(names("traffic"), Verdict.UNKNOWN)
    assert server.asked == 2


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(200, HTML, content_type="text/html"),
        answers(502, HTML, content_type="text/html"),
        answers(400, {"status": "error", "errorType": "bad_data", "error": "parse error"}),
        answers(200, NOTHING),
        answers(
            200,
            {
                "status": "success",
                "warnings": ["a store is down"],
                "data": {"resultType": "vector", "result": []},
            },
        ),
    ],
    ids=["html", "bad gateway", "refused", "nothing", "warning"],
)
def test_prometheus_that_answers_without_numbers_never_passes_for_health(connection, behaviour):
    with serving(behaviour) as server:
        connection("docrag_prometheus", port=server.port)
        found = verdicts(run("traffic"))
    assert found == dict.fromkeys(names("traffic"), Verdict.UNKNOWN)


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_service_that_does_not_answer_is_critical(connection, behaviour):
    with serving(behaviour) as server:
        connection("docrag_api", port=server.port)
        found = verdicts(run("service"))
    assert (found["service_health"], found["service_answer"]) == (Verdict.CRITICAL, Verdict.CRITICAL)
    assert found["service_answer_seconds"] is Verdict.UNKNOWN


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_redis_that_does_not_answer_is_critical_and_its_numbers_unknown(connection, behaviour):
    with serving(behaviour) as server:
        connection("docrag_redis", conn_type="redis", port=server.port)
        found = verdicts(run("redis"))
    critical = {name for name, verdict in found.items() if verdict is Verdict.CRITICAL}
    assert critical == {"redis_ping", "redis_write"}
    assert {found[name] for name in names("redis") - critical} == {Verdict.UNKNOWN}


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_qdrant_that_does_not_answer_is_critical_and_the_rest_unknown(connection, behaviour):
    with serving(behaviour) as server:
        connection("docrag_qdrant", port=server.port)
        found = verdicts(run("qdrant"))
    assert found.pop("qdrant_ready") is Verdict.CRITICAL
    assert found == dict.fromkeys(names("qdrant") - {"qdrant_ready"}, Verdict.UNKNOWN)


@pytest.mark.parametrize("area", ["scans", "access"])
@pytest.mark.parametrize("behaviour", NO_ANSWER_OR_PAGE, ids=lambda one: one.__name__)
def test_api_server_that_does_not_answer_makes_scans_and_logs_unknown(
    kubeconfig, connection, area: str, behaviour
):
    connection("docrag_prometheus", port=port_that_refuses())
    with serving(behaviour) as server:
        kubeconfig(server.port)
        result = run(area)
    assert verdicts(result) == dict.fromkeys(names(area), Verdict.UNKNOWN)


@pytest.mark.parametrize("behaviour", NO_ANSWER_OR_PAGE, ids=lambda one: one.__name__)
def test_certificates_are_seen_where_they_are_served_while_the_api_server_does_not_answer(
    kubeconfig, monkeypatch, behaviour
):
    served = ServedCertificate(
        not_before=NOW - timedelta(days=30),
        not_after=NOW + timedelta(days=60),
        serial="1",
        fingerprint="A" * 64,
        issuer="CN=x",
        names=("doc-rag.example.com",),
        untrusted="",
    )
    monkeypatch.setattr(
        TlsHook, "see", lambda hook, one: [Seen(endpoint=one, subject=one.name, certificate=served)]
    )
    with serving(behaviour) as server:
        kubeconfig(server.port)
        found = verdicts(run("certificates"))
    still = {"tls_days_left", "tls_wrong_name", "tls_untrusted"}
    assert {name for name, verdict in found.items() if verdict is Verdict.OK} == still
    assert {found[name] for name in found.keys() - still} == {Verdict.UNKNOWN}
    assert found.keys() == names("certificates") - {"tls_window_left"}
