"""The cluster under contract: the one of `--kubeconfig`, or a stand-in of the tests' own.

Nothing here or in the tests changes it. What a real cluster may lack is skipped with its reason; the stand-in has all
of it, so there the same lack is a failure.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from kubernetes import client, config

from docrag_ops.core.environments import ClusterSection, Environment
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.pod_commands import PodName
from tests.contract.witness import Witness
from tests.sandbox.cluster_for_tests import StandIn

OPTION = "--kubeconfig"
CONNECTION = "AIRFLOW_CONN_DOCRAG_KUBERNETES"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, metavar="PATH", help="hold the hooks to this cluster (default: to the stand-in)")


def pytest_configure(config: pytest.Config) -> None:
    """Say once, instead of in every test, that there is nothing to hold the hooks to."""
    given = config.getoption(OPTION, default=None)
    if given is None:
        return
    if not given:
        raise pytest.UsageError("Which cluster? Say: make contract KUBECONFIG=/path/to/kubeconfig")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONNECTION, connection(given))
        _require_platform(given)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/contract/" in item.path.as_posix():
            item.add_marker(pytest.mark.contract)


def _require_platform(kubeconfig: str) -> None:
    hook = ClusterHook()
    try:
        missing = [name for name in _section().namespaces if hook.get(f"/api/v1/namespaces/{name}") is None]
    except CouldNotMeasureError as error:
        raise pytest.UsageError(f"The kubeconfig {kubeconfig!r} is of no use. {error}") from error
    if missing:
        raise pytest.UsageError(
            f"The cluster of {kubeconfig!r} has no namespace {missing[0]!r}. Give it the platform's workloads: "
            f"kubectl --kubeconfig {kubeconfig} apply -f tests/sandbox/manifests"
        )


def connection(kubeconfig: str) -> str:
    return json.dumps({"conn_type": "kubernetes", "extra": {"kube_config_path": kubeconfig}})


def _section() -> ClusterSection:
    section = IncludeFolder().environment("docrag-prod").cluster
    assert section is not None
    return section


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = request.config.getoption(OPTION, default=None)
    if given:
        yield given
        return
    stand_in = StandIn(tmp_path_factory.mktemp("contract"))
    yield str(stand_in.kubeconfig)
    complaints = stand_in.stop()
    assert complaints == ""


@pytest.fixture(scope="session")
def lacking(request: pytest.FixtureRequest) -> Callable[[str], NoReturn]:
    """`lacking("no pod of api is ready")`: this cluster does not have what the test needs."""
    given = request.config.getoption(OPTION, default=None)
    return pytest.skip if given else pytest.fail


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch, kubeconfig: str) -> None:
    monkeypatch.setenv(CONNECTION, connection(kubeconfig))


@pytest.fixture
def hook() -> ClusterHook:
    return ClusterHook()


@pytest.fixture(scope="session")
def witness(kubeconfig: str) -> Iterator[Witness]:
    """The same cluster, seen without our hook."""
    api = config.new_client_from_config(kubeconfig)
    yield Witness(api)
    api.rest_client.pool_manager.clear()


@pytest.fixture(scope="session")
def environment() -> Environment:
    return IncludeFolder().environment("docrag-prod")


@pytest.fixture(scope="session")
def section() -> ClusterSection:
    return _section()


@pytest.fixture
def api_pod(hook: ClusterHook, lacking: Callable[[str], NoReturn]) -> PodName:
    """A pod that has a shell; its container is called `api`."""
    pods = hook.ready_pods("Deployment", "doc-rag-prod", "api")
    return pods[0] if pods else lacking("no pod of the Deployment api is ready")


@pytest.fixture
def with_token(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`with_token("wrong")`: from now on the Connection leads to the same cluster with this token."""

    def connect(token: str) -> None:
        known = client.Configuration()
        config.load_kube_config(kubeconfig, client_configuration=known)
        cluster: dict[str, Any] = {"server": known.host}
        if known.ssl_ca_cert:
            cluster["certificate-authority"] = known.ssl_ca_cert
        if not known.verify_ssl:
            cluster["insecure-skip-tls-verify"] = True
        if known.tls_server_name:
            cluster["tls-server-name"] = known.tls_server_name
        monkeypatch.setenv(CONNECTION, inline_connection(cluster, token))

    return connect


def inline_connection(cluster: dict[str, Any], token: str) -> str:
    """A Connection that holds its kubeconfig itself."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": token}}],
    }
    return json.dumps({"conn_type": "kubernetes", "extra": {"kube_config": content}})
