"""A platform whose PostgreSQL is driven by a ConfigMap: named lines change, everything else stays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes.client import ApiException

from docrag_ops.core.changes import StepOutcome
from docrag_ops.core.errors import ChangeError
from docrag_ops.core.tuning.config_map import ConfigMapPolicy
from docrag_ops.hooks.config_maps import ConfigMaps
from tests.databases.tuning import NEVER_WORSE, Killed, TuningRuns, left_alone, refusal
from tests.sandbox import connections
from tests.sandbox.cluster_for_tests import PROD, StandIn
from tests.sandbox.postgres_servers import MAINTAINED, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.sandbox
WHERE = ConfigMapPolicy(namespace=PROD, name="postgres-config", key="postgresql.conf")
TEXT = "listen_addresses = '*'\n# memory\nwork_mem = 4MB  # per sort\n\tshared_preload_libraries = 'pg_stat_statements'"
CATALOGUE = """
allowed: [work_mem, log_temp_files]
shares: {shared_buffers: 0.25, sorts_per_connection: 3, work_mem_tolerance: 1.5}
profiles: {guide: {work_mem: {value: 3MB, why: the test}, log_temp_files: {value: 10MB, why: the test}}}
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    running = StandIn(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()


@pytest.fixture
def config_map(cluster: StandIn, monkeypatch: pytest.MonkeyPatch) -> ConfigMaps:
    """The ConfigMap with this text, and with another key beside it."""
    extra = {"kube_config_path": str(cluster.kubeconfig)}
    connection = json.dumps({"conn_type": "kubernetes", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_KUBERNETES_CHANGE", connection)
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_KUBERNETES", connection)
    put(cluster, {"postgresql.conf": TEXT, "pg_hba.conf": "host all all all scram-sha-256\n"})
    return ConfigMaps()


def put(cluster: StandIn, data: dict[str, Any]) -> None:
    api = cluster.api()
    api.call_api(
        WHERE.path,
        "PATCH",
        header_params={"Content-Type": "application/merge-patch+json", "Accept": "application/json"},
        body={"data": data},
        auth_settings=["BearerToken"],
        _preload_content=False,
    )


@pytest.fixture
def runs(
    servers: Settings,
    config_map: ConfigMaps,
    connect_to: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[TuningRuns]:
    change = connections.connections(servers)["docrag_postgres_change"]
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_POSTGRES_CHANGE", json.dumps(change))
    runs = TuningRuns(
        "postgres_settings",
        request.node.name,
        monkeypatch,
        memory_limit_bytes=2**31,
        config_map=WHERE.model_dump(),
    )
    runs.use(CATALOGUE)
    runs.profile = "guide"
    yield runs
    with superuser(servers, MAINTAINED, "docrag") as connection:
        connection.execute("ALTER SYSTEM RESET ALL")
        connection.execute("SELECT pg_reload_conf()")


def test_named_lines_change_and_everything_else_stays(runs, config_map):
    record = runs.plan()
    assert record.plan.steps[-1].action == "patch"
    assert "ALTER SYSTEM RESET" in dict(record.plan.handed_over)["work_mem, log_temp_files"]
    runs.apply()
    assert runs.prove().not_better == ""
    assert config_map.read(WHERE).content == TEXT.replace("4MB", "3MB") + "\nlog_temp_files = 10MB"
    data = config_map.get(WHERE.path)["data"]
    assert data["pg_hba.conf"] == "host all all all scram-sha-256\n"


def test_config_map_goes_back_with_the_settings(runs, config_map, servers):
    runs.policy["probe"] = {**NEVER_WORSE, "worse_times": 1.5}
    runs.plan()
    runs.apply()
    with superuser(servers, MAINTAINED) as connection:
        connection.execute("ALTER ROLE docrag_monitor CONNECTION LIMIT 0")
        try:
            said = refusal(runs.prove)
        finally:
            connection.execute("ALTER ROLE docrag_monitor CONNECTION LIMIT -1")
    assert "is as before" in said
    assert config_map.read(WHERE).content == TEXT


def test_config_map_that_somebody_changed_meanwhile_is_left_alone(runs, config_map, cluster):
    runs.plan()
    put(cluster, {"postgresql.conf": TEXT + "\nfsync = on"})
    record = runs.apply()
    assert [step.outcome for step in record.steps] == [
        StepOutcome.DONE,
        StepOutcome.DONE,
        StepOutcome.SKIPPED,
    ]
    assert "resourceVersion was" in record.steps[-1].what
    assert config_map.read(WHERE).content == TEXT + "\nfsync = on"


def test_killed_after_the_patch_it_is_found_done(runs, config_map, monkeypatch):
    runs.plan()
    real = ConfigMaps.write

    def killed(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(ConfigMaps, "write", killed)
        with pytest.raises(Killed):
            runs.apply()
    assert "found done" in runs.apply().steps[-1].what


def test_line_that_nobody_can_read_is_not_edited(runs, config_map, cluster):
    put(cluster, {"postgresql.conf": "work_mem = '4MB\n"})
    record = runs.plan()
    assert "line 1 sets 'work_mem'" in left_alone(record)[str(WHERE)]
    assert {step.action for step in record.plan.steps} == {"set"}


def test_stale_version_is_refused_by_the_cluster(config_map, cluster):
    before = config_map.read(WHERE)
    put(cluster, {"other": "x"})
    with pytest.raises(ChangeError, match="409, it was changed meanwhile"):
        config_map.write(WHERE, "fsync = on", version=before.version)
    assert config_map.read(WHERE).content == TEXT


@pytest.mark.parametrize("value", [True, 5, {"a": "b"}])
def test_cluster_takes_no_value_but_text(config_map, cluster, value):
    with pytest.raises(ApiException) as caught:
        put(cluster, {"flag": value})
    assert caught.value.status == 422


def test_null_takes_a_key_away(config_map, cluster):
    put(cluster, {"pg_hba.conf": None})
    assert "pg_hba.conf" not in config_map.get(WHERE.path)["data"]


def test_role_without_the_right_is_refused(cluster, config_map, tmp_path):
    made = json.loads(cluster.kubeconfig.read_text())
    (tmp_path / "reader").write_text(json.dumps({**made, "current-context": "reader"}))
    with pytest.MonkeyPatch.context() as patch:
        extra = {"kube_config_path": str(tmp_path / "reader")}
        patch.setenv(
            "AIRFLOW_CONN_DOCRAG_KUBERNETES_CHANGE", json.dumps({"conn_type": "kubernetes", "extra": extra})
        )
        reader = ConfigMaps()
        with pytest.raises(ChangeError, match="HTTP 403"):
            reader.write(WHERE, "x", version=reader.read(WHERE).version)
