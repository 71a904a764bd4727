"""Each fault is really there when it is on, and really gone when it is off."""

import gzip
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import psycopg
import pytest
import redis
from cryptography import x509

from tests.sandbox import connections, lifecycle, redis_server, scanner, storage
from tests.sandbox.backups import KEPT_DAYS
from tests.sandbox.errors import SandboxError
from tests.sandbox.faults import backups, holders, registry, security
from tests.sandbox.faults.fault import wait_for
from tests.sandbox.postgres_servers import AIRFLOW_DB, MAINTAINED, superuser
from tests.sandbox.questions import KNOWN
from tests.sandbox.settings import REPOSITORY, Settings
from tests.sandbox.small_sandbox import NOTHING, command_environment, what_is_left

pytestmark = pytest.mark.sandbox


def get(settings: Settings, part: str, path: str, body: Any = None) -> tuple[int, Any]:
    """(status, JSON or text); status 0 when nobody answers."""
    address = f"http://127.0.0.1:{getattr(settings, f'{part}_port')}{path}"
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data=data), timeout=10) as answer:
            text, status = answer.read().decode(), answer.status
    except urllib.error.HTTPError as error:
        text, status = error.read().decode(), error.code
    except OSError:
        return 0, ""
    try:
        return status, json.loads(text)
    except json.JSONDecodeError:
        return status, text


def silent(part: str, path: str) -> Callable[[Settings], bool]:
    return lambda settings: get(settings, part, path)[0] == 0


def sql(query: str, server=MAINTAINED, database: str = "docrag") -> Callable[[Settings], bool]:
    """Whether a query that a superuser asks gives true."""

    def ask(settings: Settings) -> bool:
        with superuser(settings, server, database) as session:
            return session.execute(query).fetchone() == (True,)

    return ask


def refused(connection: str) -> Callable[[Settings], bool]:
    """Whether the database of a Connection cannot be entered, as its own role."""

    def ask(settings: Settings) -> bool:
        where = connections.connections(settings)[connection]
        try:
            with psycopg.connect(
                host=where["host"],
                port=where["port"],
                user=where["login"],
                password=where["password"],
                dbname=where["schema"],
            ):
                return False
        except psycopg.OperationalError:
            return True

    return ask


def cannot_write(settings: Settings) -> bool:
    where = connections.connections(settings)["docrag_postgres_change"]
    try:
        with psycopg.connect(
            host=where["host"],
            port=where["port"],
            user=where["login"],
            password=where["password"],
            dbname=where["schema"],
        ) as session:
            session.execute("UPDATE documents SET status = status WHERE id = 2")
            session.rollback()
    except psycopg.errors.ReadOnlySqlTransaction:
        return True
    return False


def redis_refuses(word: str) -> Callable[[Settings], bool]:
    def ask(settings: Settings) -> bool:
        try:
            with redis_server.client(settings) as client:
                client.set("test:fault", "x", ex=1)
        except redis.exceptions.RedisError as error:
            return word in str(error)
        return False

    return ask


def redis_is_full(settings: Settings) -> bool:
    with redis_server.client(settings) as client:
        memory = client.info("memory")
        policy = client.config_get("maxmemory-policy")["maxmemory-policy"]
    return memory["used_memory"] > 0.95 * memory["maxmemory"] and policy == "noeviction"


def answers_wrongly(settings: Settings) -> bool:
    return "90 days" not in get(settings, "api", "/query", {"question": KNOWN})[1]["answer"]


def answers_slowly(settings: Settings) -> bool:
    began = time.monotonic()
    get(settings, "api", "/healthz")
    return time.monotonic() - began > 2.5


def answers_with_errors(settings: Settings) -> bool:
    answers = (get(settings, "api", "/query", {"question": KNOWN})[0] for _ in range(200))
    return len(list(islice((one for one in answers if one == 500), 3))) == 3


def used(kind: str) -> Callable[[Settings], bool]:
    def ask(settings: Settings) -> bool:
        figures = os.statvfs(storage.pod_folders(settings)[-1])
        free, all_ = {
            "bytes": (figures.f_bfree, figures.f_blocks),
            "inodes": (figures.f_ffree, figures.f_files),
        }[kind]
        return free < 0.03 * all_

    return ask


def prometheus_has(query: str) -> Callable[[Settings], bool]:
    path = f"/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    return lambda settings: bool(get(settings, "prometheus", path)[1]["data"]["result"])


def serves(fact: Callable[[x509.Certificate], bool]) -> Callable[[Settings], bool]:
    """Whether what listens with TLS serves a certificate of this kind."""

    def ask(settings: Settings) -> bool:
        return fact(x509.load_pem_x509_certificate(served(settings).encode()))

    return ask


def served(settings: Settings) -> str:
    return ssl.get_server_certificate(("127.0.0.1", settings.tls_port), timeout=10)


def nothing_served(settings: Settings) -> bool:
    try:
        served(settings)
    except OSError:
        return True
    return False


def prints(settings: Settings) -> str:
    """What the scanner's command prints, run outside its pod."""
    (folder,) = scanner.pod_folders(settings)
    told = (folder / scanner.COMMAND).read_text().replace("/opt/", f"{folder}/")
    return subprocess.run(["sh", "-c", told], capture_output=True, text=True, check=True).stdout


def lines_with(words: str, pods: str) -> Callable[[Settings], bool]:
    """Whether a thousand lines of these pods' logs hold the words."""

    def ask(settings: Settings) -> bool:
        logs = settings.pods_dir.glob(f"doc-rag-prod/{pods}-*/logs/{pods}.log")
        return sum(path.read_text().count(words) for path in logs) > 1000

    return ask


def unpacked(settings: Settings, series: str) -> bytes:
    """The newest file of a series; nothing when it cannot be unpacked."""
    try:
        return gzip.decompress(backups.newest(settings, series).read_bytes())
    except (OSError, EOFError, zlib.error):
        return b""


def is_cut(settings: Settings, series: str) -> bool:
    sizes = [path.stat().st_size for path in sorted(settings.backups_dir.glob(series.format(day="*")))]
    return sizes[-1] < sizes[0]


def times_in_heads(settings: Settings) -> set[bytes]:
    """When the dumps were made, by their heads: at the same time, as those of other days are copies of today's."""
    end = backups.TIME_AT + 6 * backups.NUMBER_BYTES
    return {path.read_bytes()[backups.TIME_AT : end] for path in settings.backups_dir.glob("*.dump")}


def rows_of(dump: bytes, table: bytes) -> int:
    return dump.partition(b"COPY " + table)[2].partition(b"\n\\.\n")[0].count(b"\n")


BLOCKED = "SELECT count(*) >= 6 FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
IDLE = "SELECT count(*) >= 5 FROM pg_stat_activity WHERE state = 'idle in transaction'"
IS_TRUE: dict[str, Callable[[Settings], bool]] = {
    "api_down": silent("api", "/healthz"),
    "api_slow": answers_slowly,
    "api_wrong_answer": answers_wrongly,
    "api_errors": answers_with_errors,
    "postgres_down": refused("docrag_postgres"),
    "postgres_connections_exhausted": refused("docrag_postgres"),
    "postgres_blocked_sessions": sql(BLOCKED),
    "postgres_idle_in_transaction": sql(IDLE),
    "postgres_read_only": cannot_write,
    "postgres_sequence_end": sql("SELECT last_value > 8e18 FROM documents_id_seq"),
    "postgres_invalid_index": sql("SELECT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)"),
    "postgres_rows_lost": sql("SELECT count(*) < 1000 FROM vectors"),
    "postgres_statements_missing": sql("SELECT to_regclass('pg_stat_statements') IS NULL"),
    "redis_down": redis_refuses("refused"),
    "redis_read_only": redis_refuses("read only replica"),
    "redis_full": redis_is_full,
    "redis_save_failing": redis_refuses("MISCONF"),
    "redis_connections_exhausted": redis_refuses("max number of clients"),
    "qdrant_down": silent("qdrant", "/readyz"),
    "qdrant_collection_red": lambda settings: (
        get(settings, "qdrant", "/collections/documents")[1]["result"]["status"] == "red"
    ),
    "volume_full": used("bytes"),
    "inodes_full": used("inodes"),
    "prometheus_down": silent("prometheus", "/-/ready"),
    "prometheus_target_down": prometheus_has('up{job="api"} == 0'),
    "prometheus_alert_firing": prometheus_has('ALERTS{alertstate="firing"}'),
    "alertmanager_down": silent("alertmanager", "/-/ready"),
    "history_down": refused("docrag_history"),
    "alarm_receiver_down": silent("alarm", "/healthz"),
    "tls_down": nothing_served,
    "tls_expired": serves(lambda one: one.not_valid_after_utc < datetime.now(UTC)),
    "tls_other_name": serves(lambda one: "ingress.local" in one.subject.rfc4514_string()),
    "scan_results_old": lambda settings: (
        f"{datetime.now(UTC):%Y-%m-%d}" not in prints(settings)
        and f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%d}" not in prints(settings)
    ),
    "scan_results_broken": lambda settings: not prints(settings).startswith("{"),
    "auth_failures": lines_with(security.ATTACKER, "api"),
    "rate_limited": lines_with(security.IMPATIENT, "nginx"),
    "backup_missing": lambda settings: len(list(settings.backups_dir.glob("*.dump"))) < KEPT_DAYS,
    "backup_truncated": lambda settings: is_cut(settings, backups.DUMP),
    "backup_flipped": lambda settings: unpacked(settings, backups.SQL) == b"",
    "backup_of_yesterday": lambda settings: len(times_in_heads(settings)) > 1,
    "backup_half_table": lambda settings: (
        rows_of(unpacked(settings, backups.SQL), b"public.user_sessions") < settings.rows * 3 // 4
    ),
    "backup_other_database": lambda settings: (
        b"docrag" not in backups.newest(settings, backups.DUMP).read_bytes()[:100]
    ),
    "backup_whole_server": lambda settings: b"CREATE ROLE" in unpacked(settings, backups.SQL),
    "backup_qdrant_part": lambda settings: unpacked(settings, backups.QDRANT).count(b"payload_storage") == 1,
    "scratch_down": refused("docrag_postgres_scratch"),
}
NEEDS_ROOT = {"volume_full", "inodes_full"}


@contextmanager
def fault(settings: Settings, name: str):
    registry.turn_on(settings, name)
    try:
        yield
    finally:
        registry.turn_off(settings, name)


def test_every_fault_has_its_proof():
    assert IS_TRUE.keys() == registry.FAULTS.keys()


@pytest.mark.parametrize("name", IS_TRUE)
def test_a_fault_is_there_and_then_gone(small_sandbox: Settings, name: str):
    if name in NEEDS_ROOT and os.geteuid() != 0:
        pytest.skip("mounting needs root")
    assert not IS_TRUE[name](small_sandbox)
    with fault(small_sandbox, name):
        assert IS_TRUE[name](small_sandbox)
    assert not IS_TRUE[name](small_sandbox)
    assert registry.active(small_sandbox) == {}


def test_lost_rows_come_back_as_they_were(small_sandbox: Settings):
    query = "SELECT count(*), sum(hashtext(v::text)) FROM vectors AS v"
    with superuser(small_sandbox, MAINTAINED, "docrag") as session:
        before = session.execute(query).fetchone()
        with fault(small_sandbox, "postgres_rows_lost"):
            assert session.execute(query).fetchone() != before
        assert session.execute(query).fetchone() == before


def test_the_sequence_goes_on_where_it_was(small_sandbox: Settings):
    query = "SELECT last_value, is_called FROM documents_id_seq"
    with superuser(small_sandbox, MAINTAINED, "docrag") as session:
        before = session.execute(query).fetchone()
        with fault(small_sandbox, "postgres_sequence_end"):
            assert session.execute(query).fetchone() != before
        assert session.execute(query).fetchone() == before


def test_errors_of_a_fault_do_not_linger_in_prometheus(small_sandbox: Settings):
    counted = prometheus_has('last_over_time(http_requests_total{job="api",status="500"}[15s]) > 0')
    with fault(small_sandbox, "api_errors"):
        for _ in range(20):
            get(small_sandbox, "api", "/query", {"question": KNOWN})
        wait_for("the errors in Prometheus", lambda: counted(small_sandbox))
    assert not counted(small_sandbox)


def test_history_down_leaves_airflow_its_database(small_sandbox: Settings):
    with fault(small_sandbox, "history_down"):
        assert sql("SELECT true", AIRFLOW_DB, "airflow")(small_sandbox)


def test_turning_on_twice_is_turning_on_once(small_sandbox: Settings):
    with fault(small_sandbox, "postgres_sequence_end"), fault(small_sandbox, "postgres_sequence_end"):
        pass
    assert not IS_TRUE["postgres_sequence_end"](small_sandbox)


def test_a_misspelt_fault_gets_a_suggestion(small_sandbox: Settings):
    with pytest.raises(SandboxError, match="There is no fault 'redis_don'; did you mean redis_down"):
        registry.turn_on(small_sandbox, "redis_don")


def test_a_fault_of_the_cluster_is_switched_there(small_sandbox: Settings):
    registry.turn_on(small_sandbox, "crash_loop")
    assert registry.cluster.active(small_sandbox) == ["crash_loop"]
    registry.turn_off(small_sandbox, "crash_loop")
    assert registry.cluster.active(small_sandbox) == []


def test_up_puts_right_what_faults_broke(small_sandbox: Settings):
    for name in ("postgres_idle_in_transaction", "redis_save_failing", "api_down", "pod_not_ready"):
        registry.turn_on(small_sandbox, name)
    lifecycle.up(small_sandbox)
    assert registry.active(small_sandbox) == {}
    assert registry.cluster.active(small_sandbox) == []
    broken = ("postgres_idle_in_transaction", "redis_save_failing", "api_down")
    assert [name for name in broken if IS_TRUE[name](small_sandbox)] == []


def test_down_undoes_faults_and_leaves_nothing(small_sandbox: Settings):
    names = ("postgres_connections_exhausted", "redis_full", "api_slow", "volume_full", "history_down")
    for name in names if os.geteuid() == 0 else set(names) - NEEDS_ROOT:
        registry.turn_on(small_sandbox, name)
    command = [sys.executable, "-m", "tests.sandbox", "down"]
    environment = command_environment(small_sandbox)
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "The sandbox is down\n")
    assert what_is_left(small_sandbox) == NOTHING
    lifecycle.up(small_sandbox)
    assert [name for name, is_true in IS_TRUE.items() if name in names and is_true(small_sandbox)] == []


def test_holders_are_faults():
    assert holders.HOLDERS.keys() <= registry.FAULTS.keys()
