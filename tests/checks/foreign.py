"""Foreign systems that answer what a fixture says, at the lowest border that is cheap.

HTTP services and Redis are real servers on 127.0.0.1, asked by the real clients; PostgreSQL is a connection that
knows rows by query; the Kubernetes API is answered below the hook's parsing, commands in pods as their results.
"""

import base64
import gzip
import io
import json
import socketserver
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import psycopg
import psycopg.sql

from docrag_ops.core.alarms import Alarm, Kind, Waiting
from docrag_ops.core.backups.dump_scan import DumpScan
from docrag_ops.core.backups.names import Span, StoredFile
from docrag_ops.core.backups.restored import Restored, TableRows
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.core.logs.levels import Level
from docrag_ops.core.measurements import Measured, Measurement, Outcome
from docrag_ops.core.security_sections import TlsEndpoint
from docrag_ops.core.tls import Seen, ServedCertificate
from docrag_ops.hooks.pod_commands import CommandResult, PodName, RawResult
from docrag_ops.operators.sources import restores


class WebServer(ThreadingHTTPServer):
    """Answers `METHOD PATH` with `answers` ({http, body, takes_seconds}), and Prometheus' queries by their text.

    A range query is answered from `ranges`: a list of {labels, value}, the same value at every time that is asked
    about, from the time `from` on where one is given, but for {from, to} where `but` is given.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _WebRequest)
        self.answers: dict[str, Any] = {}
        self.queries: dict[str, Any] = {}
        self.ranges: dict[str, Any] = {}
        self.clock_seconds = 0.0
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class _WebRequest(BaseHTTPRequestHandler):
    server: WebServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        found = self.server.answers.get(f"{self.command} {self.path}")
        if self.path == "/api/v1/query":
            found = self.server.queries.get(parse_qs(body)["query"][0])
        if self.path == "/api/v1/query_range":
            found = _matrix(self.server.ranges, parse_qs(body))
        if found is None:
            found = {"http": 599, "body": f"the fixture does not say what {self.path} answers"}
        if "http" not in found:
            found = {"http": 200, "body": json.dumps(found)}
        self.server.clock_seconds += found.get("takes_seconds", 0.02)
        content = found["body"].encode()
        self.send_response(found["http"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 (http.server's own way to name them)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _matrix(ranges: dict[str, Any], form: dict[str, list[str]]) -> Any:
    known = ranges.get(form["query"][0])
    if not isinstance(known, list):
        return known
    start, end, step = (float(form[name][0]) for name in ("start", "end", "step"))
    times = [start + number * step for number in range(int((end - start) / step) + 1)]
    result = [
        {
            "metric": one.get("labels", {}),
            "values": [
                [time, str(one["value"])]
                for time in times
                if ("from" not in one or time >= one["from"].timestamp())
                and not _is_hole(one.get("but"), time)
            ],
        }
        for one in known
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def _is_hole(hole: dict[str, Any] | None, time: float) -> bool:
    return hole is not None and hole["from"].timestamp() <= time < hole["to"].timestamp()


class RedisServer(socketserver.ThreadingTCPServer):
    """Speaks enough of Redis' protocol for INFO, the probes, SCAN and SLOWLOG; `answers` has INFO's lines, KEYS with
    their bytes or facts, SLOWLOG's entries ({at, microseconds, command}) and CONFIG, or errors by command.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RedisSession)
        self.answers: dict[str, Any] = {}
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class _RedisSession(socketserver.StreamRequestHandler):
    server: RedisServer

    def handle(self) -> None:
        kept: dict[bytes, bytes] = {}
        while header := self.rfile.readline():
            words = [self._bulk() for _ in range(int(header[1:]))]
            self.wfile.write(self._answer(words[0].decode().upper(), words[1:], kept))

    def _bulk(self) -> bytes:
        size = int(self.rfile.readline()[1:])
        return self.rfile.read(size + 2)[:-2]

    def _answer(self, command: str, words: list[bytes], kept: dict[bytes, bytes]) -> bytes:
        answers = self.server.answers
        if isinstance(answers.get(command), str):
            return f"-{answers[command]}\r\n".encode()
        match command:
            case "INFO":
                return _as_bulk("\r\n".join(answers["INFO"]).encode())
            case "PING":
                return b"+PONG\r\n"
            case "SET":
                kept[words[0]] = words[1]
                return b"+OK\r\n"
            case "GET":
                return _as_bulk(kept[words[0]])
            case "DEL":
                return b":1\r\n" if kept.pop(words[0], None) else b":0\r\n"
            case "CLIENT" | "SELECT":
                return b"+OK\r\n"
            case "HELLO":
                return b"%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
            case _:
                return self._answer_about_keys(command, words)

    def _answer_about_keys(self, command: str, words: list[bytes]) -> bytes:
        answers = self.server.answers
        match command:
            case "DBSIZE":
                return b":%d\r\n" % answers.get("DBSIZE", len(answers["KEYS"]))
            case "SCAN":
                return _as_list(
                    [_as_bulk(b"0"), _as_list([_as_bulk(key.encode()) for key in answers["KEYS"]])]
                )
            case "MEMORY" | "PTTL" | "OBJECT":
                return _about_key(command, answers["KEYS"][words[0 if command == "PTTL" else 1].decode()])
            case "SLOWLOG":
                return _as_list([_slow(number, one) for number, one in enumerate(answers["SLOWLOG"])])
            case "CONFIG":
                return b"%1\r\n" + _as_bulk(words[1]) + _as_bulk(answers["THRESHOLD"].encode())
            case _:
                return f"-ERR unknown command '{command}'\r\n".encode()


LFU = b"-ERR An LFU maxmemory policy is selected, idle time not tracked.\r\n"


def _about_key(command: str, fact: int | dict[str, Any]) -> bytes:
    known = fact if isinstance(fact, dict) else {"size_bytes": fact}
    if command == "MEMORY":
        return b":%d\r\n" % known["size_bytes"]
    if command == "PTTL":
        seconds = known.get("expires_seconds")
        return b":%d\r\n" % (-1 if seconds is None else seconds * 1000)
    idle = known.get("idle_seconds")
    return LFU if idle is None else b":%d\r\n" % idle


def _as_bulk(content: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(content), content)


def _as_list(parts: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(parts) + b"".join(parts)


def _slow(number: int, entry: dict[str, Any]) -> bytes:
    command = _as_list([_as_bulk(word.encode()) for word in entry["command"]])
    times = b":%d\r\n:%d\r\n:%d\r\n" % (number, int(entry["at"].timestamp()), entry["microseconds"])
    return b"*6\r\n" + times + command + _as_bulk(b"127.0.0.1:5000") + _as_bulk(b"")


def keys_of(answers: dict[str, Any]) -> dict[str, Any]:
    """KEYS and DBSIZE of a fixture's `keys`: {total, keys: a list of {prefix, count and the facts of each}}."""
    if not answers:
        return {}
    names = (
        (f"{one['prefix']}{group}-{number}", one)
        for group, one in enumerate(answers["keys"])
        for number in range(one["count"])
    )
    return {"KEYS": dict(names), "DBSIZE": answers["total"]}


class PostgresConnection:
    """A psycopg connection whose `answers` are rows, or {sqlstate, message}, by the query's text.

    Of a query that is put together: by (its first line, a word that is in it).
    """

    closed = False
    info = SimpleNamespace(server_version=150018)
    autocommit = False

    def __init__(self, answers: dict[Any, Any]) -> None:
        self._answers = answers
        self.description: object = ("a column",)
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> "PostgresConnection":
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to close."""

    def cursor(self, **_: Any) -> "PostgresConnection":
        return self

    def transaction(self, **_: Any) -> "PostgresConnection":
        return self

    def rollback(self) -> None:
        """Nothing to roll back."""

    def execute(self, query: bytes | psycopg.sql.Composed, parameters: object = None) -> None:
        if isinstance(query, bytes) and query.startswith(b"SET "):
            return
        answer = self._answers[query.decode() if isinstance(query, bytes) else self._known(query.as_string())]
        if isinstance(answer, dict):
            raise psycopg.errors.lookup(answer["sqlstate"])(answer["message"])
        self._rows = answer

    def _known(self, text: str) -> Any:
        names = [key for key in self._answers if isinstance(key, tuple)]
        return next((key for key in names if key[0] == text.splitlines()[0] and key[1] in text), text)

    def fetchall(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self._rows]


def kubernetes(answers: dict[str, Any]) -> Callable[..., tuple[int, bytes]]:
    """What `ClusterHook._ask` answers by path."""

    def ask(hook: object, path: str, query: object) -> tuple[int, bytes]:
        answer = answers[path]
        if "http" in answer:
            return answer["http"], answer["body"].encode()
        return 200, json.dumps(answer).encode()

    return ask


def command_in_pod(answers: dict[str, Any]) -> Callable[..., CommandResult]:
    """What `ClusterHook.run` answers by `POD COMMAND`: a result, or {broken: why}."""

    def run(hook: object, pod: PodName, container: str, command: list[str], **_: Any) -> CommandResult:
        answer = answers[f"{pod.name} {' '.join(command)}"]
        if "broken" in answer:
            raise CouldNotMeasureError(answer["broken"])
        return CommandResult(**answer)

    return run


def listing_in_pod(answers: dict[str, Any]) -> Callable[..., RawResult]:
    """What `find` lists in a pod: its output, a character per byte, or {broken: why}."""

    def run(hook: object, pod: PodName, container: str, command: list[str], **_: Any) -> RawResult:
        answer = answers[pod.name]
        if "broken" in answer:
            raise CouldNotMeasureError(answer["broken"])
        return RawResult(0, answer["stdout"].encode("latin-1"), b"")

    return run


def log_of_pod(answers: dict[str, Any]) -> Callable[..., Iterator[bytes]]:
    """What a container logged, by `POD` or `POD previous`: lines, {lines, times: as often}, or {broken: why}."""

    def stream(hook: object, pod: PodName, container: str, *, previous: bool, **_: Any) -> Iterator[bytes]:
        answer = answers.get(f"{pod.name} previous" if previous else pod.name, [])
        if "broken" in answer:
            raise CouldNotMeasureError(answer["broken"])
        if "times" in answer:
            answer = answer["lines"] * answer["times"]
        yield "".join(f"{line}\n" for line in answer).encode()

    return stream


def tls_endpoints(answers: dict[str, Any]) -> Callable[[], Any]:
    """What endpoints serve, by `NAME:PORT`: certificates, or {broken: why}."""

    def see(endpoint: TlsEndpoint) -> list[Seen]:
        subject = f"{endpoint.name}:{endpoint.port}"
        answer = answers[subject]
        if "broken" in answer:
            return [Seen(endpoint=endpoint, subject=subject, problem=answer["broken"])]
        return [Seen(endpoint=endpoint, subject=subject, certificate=_served(one)) for one in answer]

    return lambda: SimpleNamespace(see=see)


def _served(answer: dict[str, Any]) -> ServedCertificate:
    dates = {name: datetime.fromisoformat(str(answer[name])) for name in ("not_before", "not_after")}
    return ServedCertificate(**{**answer, **dates, "names": tuple(answer["names"])})


def kept_templates(answers: dict[str, Any]) -> Callable[[], Any]:
    """What earlier reviews found: `known` (level, template), null when there was none; or {broken: why}."""

    def earlier(run: object, *, runs: int) -> Any:
        if "broken" in answers:
            raise CouldNotMeasureError(answers["broken"])
        known = answers["known"]
        return None if known is None else [(Level(level), text) for level, text in known]

    return lambda: SimpleNamespace(earlier=earlier, record=lambda *_, **__: None)


class Airflow:
    """The running task instance, as far as it is asked about other DAGs."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    def get_dag(self, dag_id: str) -> Any:
        from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse

        answer = self._answers[dag_id]
        if "http" in answer:
            detail = {"status_code": answer["http"], "message": "Server returned error"}
            raise AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=detail))
        return SimpleNamespace(**answer)


def stored_backups(answers: dict[str, Any]) -> type:
    """A storage of backups: NAME -> {at, and its content as text, tar (files by name), base64, or only its size}.

    `without` leaves files of a tar out, `cut_at` is the end of what is left of it; `written` is the storage's time
    when it is not `at`.
    """
    there = {name: _Backup(name, one) for name, one in answers.items() if isinstance(one, dict)}

    class Storage:
        def files(self) -> list[StoredFile]:
            if "broken" in answers:
                raise UnreachableError(answers["broken"])
            return [one.file for one in there.values()]

        def chunks(self, name: str, *, begin_bytes: int | None = None) -> Iterator[bytes]:
            yield there[name].content[:begin_bytes]

    return Storage


def _moment(said: datetime | str) -> datetime:
    """A time in YAML or in JSON."""
    return said if isinstance(said, datetime) else datetime.fromisoformat(said)


class _Backup:
    def __init__(self, name: str, said: dict[str, Any]) -> None:
        at = _moment(said["at"])
        self.content = base64.b64decode(said.get("base64", "")) or said.get("text", "").encode()
        if "tar" in said:
            target = io.BytesIO()
            with tarfile.open(fileobj=target, mode="w") as archive:
                for member, text in said["tar"].items():
                    if member in said.get("without", ()):
                        continue
                    entry = tarfile.TarInfo(member)
                    entry.size, entry.mtime = len(text.encode()), at.timestamp()
                    archive.addfile(entry, io.BytesIO(text.encode()))
            self.content = target.getvalue()
        if name.endswith(".gz") and self.content:
            self.content = gzip.compress(self.content, mtime=0)[: said.get("cut_at")]
        size = said.get("size", len(self.content))
        written = _moment(said.get("written", said["at"]))
        self.file = StoredFile(name=name, size_bytes=size, modified_at=written)


def restored_dumps(answers: dict[str, Any]) -> Callable[..., list[Restored]]:
    """What the restore drill found: SERIES -> the fields of `Restored`, or {broken: why nothing was restored}."""

    def restore_all(*_: object) -> list[Restored]:
        if "broken" in answers:
            raise UnreachableError(answers["broken"])
        return [_restored(series, dict(said)) for series, said in answers.items()]

    return restore_all


def recovered_snapshots(answers: dict[str, Any]) -> Callable[..., Outcome]:
    """What recovering Qdrant's snapshots came to: SERIES -> {value, evidence}; as on a system without, when empty."""

    def recover_all(section: Any, asking: Any) -> Outcome:
        if not any(answers.values()):
            return _real_recover_all(section, asking)
        return Measured(tuple(Measurement(subject=series, **said) for series, said in answers.items()))

    return recover_all


_real_recover_all = restores.recover_all


def _restored(series: str, said: dict[str, Any]) -> Restored:
    begins_at = _moment(said.pop("day"))
    until = [_moment(one) for one in said.pop("written_until", ())]
    scan = DumpScan(leaves=said.pop("leaves", []), refused=said.pop("refused", []))
    rows = [TableRows(table=name, restored=one[0], live=one[1]) for name, one in said.pop("rows", {}).items()]
    return Restored(
        series=series,
        span=Span(begins_at=begins_at, ends_at=begins_at + timedelta(days=1)),
        scan=scan,
        rows=rows,
        written_until=(until[0], until[1]) if until else None,
        **said,
    )


def kept_alarms(answers: dict[str, Any], store: str) -> Callable[..., list[Waiting]]:
    """What `AlarmOutbox.waiting` or `AlarmSpool.waiting` answers: {STORE: alarms, or {down: why}}."""

    def waiting(_: object) -> list[Waiting]:
        known = answers.get(store, [])
        if "down" in known:
            raise UnreachableError(known["down"])
        return [
            Waiting(
                alarm=Alarm(
                    kind=Kind(one["kind"]),
                    dag_id=one["dag_id"],
                    run_id=one["run_id"],
                    clear_number=0,
                    happened_at=one["happened_at"],
                ),
                tries=one["tries"],
                last_error=one["last_error"],
            )
            for one in known
        ]

    return waiting


def pings(answer: Any) -> Callable[..., list[float]]:
    """How long pings take, in seconds; or {broken: why}."""

    def measured(*_: object) -> list[float]:
        if isinstance(answer, dict):
            raise UnreachableError(answer["broken"])
        return answer

    return measured
