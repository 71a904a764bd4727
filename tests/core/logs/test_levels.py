"""The level of a line comes from its structure, in every format that the platform writes."""

import pytest

from docrag_ops.core.logs.levels import INFO_RUN, Level, level_of
from docrag_ops.core.logs.messages import message_of

STAMP = b"2026-11-23T12:00:00.123456789Z "

LINES = [
    # JSON
    (rb'{"level":"error","message":"x"}', "error"),
    (rb'{"ts":1,"ctx":{"level":"info"},"severity":"ERROR"}', "error"),
    (rb'{"timestamp":"t","fields":{"message":"level"},"level":"ERROR","target":"api"}', "error"),
    (rb'{"msg":"it said \"level\":\"error\"","level":"info"}', "info"),
    (rb'{"log":{"level":"warn"},"message":"x"}', "warning"),
    (rb'{"level":50,"msg":"x"}', "error"),
    (rb'{"level":"error","message":"the line is cut', "error"),
    (rb'{"error":null,"message":"no level"}', "none"),
    (b'{"text":"x","record":{"level":{"name":"ERROR","no":40},"message":"x"}}', "error"),
    (b'{"Timestamp":"t","LogLevel":"Error","Message":"x"}', "error"),
    (b'{"severity_text":"WARN","body":"x"}', "warning"),
    (b'{"@t":"2026-11-23T15:00:00Z","@mt":"Request {Path}","Path":"/error"}', "info"),
    (b'{"@t":"2026-11-23T15:00:00Z","@l":"Error","@mt":"No answer"}', "error"),
    # logfmt
    (b'ts=1 level=warn msg="error=nil"', "warning"),
    (b'time="2026-01-01T00:00:00Z" msg="set level=error" level=info', "info"),
    (b"level=info error=nil", "info"),
    # plain
    (b"2026-11-23T15:00:00.123456Z ERROR api::http: no answer", "error"),
    (b"2026-11-23T15:00:00.1Z  INFO api: 0 errors, ERROR: none", "info"),
    (b" ERROR api: no time of its own", "error"),
    (b"\x1b[2m2026-11-23T15:00:00Z\x1b[0m \x1b[31mERROR\x1b[0m api: coloured", "error"),
    (b"2026/11/23 06:00:01 [error] 7#7: *1 connect() failed", "error"),
    (b"2026/11/23 06:00:01 [notice] 1#1: start worker processes", "info"),
    (b"[error]: #0 unexpected error error_class=NoMethodError", "error"),
    (b"2026-11-23 15:00:00,123 - app.search - ERROR - x", "error"),
    (b"2026-11-23 15:00:00,123 - ERROR - x", "error"),
    (b"ERROR:root:x", "error"),
    (b'INFO:     127.0.0.1:5000 - "GET /errors" 200', "info"),
    (b"[2026-11-23 15:00:00 +0000] [7] [INFO] Starting gunicorn", "info"),
    (b"2026-11-23 15:00:00.000 UTC [123] FATAL:  too many connections", "fatal"),
    (b"E1123 15:00:00.000000       1 main.go:1] x", "error"),
    (b"Nov 23 15:00:00 app[12]: ERROR x", "error"),
    (b"2026-11-23T15:00:00Z\twarn\tmain.go:1\tx", "warning"),
    (b"panic: runtime error: index out of range", "fatal"),
    # as libraries write them by default
    (b"2026-11-23 15:00:00 [error    ] no answer   [app] tries=3", "error"),
    (b"\x1b[2m2026-11-23 15:00:00\x1b[0m [\x1b[31m\x1b[1merror    \x1b[0m] \x1b[1mno answer\x1b[0m", "error"),
    (b"2026-11-23 15:00:00 [info     ] error rate is 0", "info"),
    (b"[2026-11-23 15:00:00,123: ERROR/MainProcess] Task index raised unexpected", "error"),
    (b"[2026-11-23 15:00:00,123: INFO/MainProcess] Task index succeeded: no ERROR", "info"),
    (b"E, [2026-11-23T15:00:00.123456 #7] ERROR -- : x", "error"),
    (b"[2026-11-23 15:00:00.000][1][warning][main] [source/server.cc:1] x", "warning"),
    (b"2026-11-23 15:00:00,123 app.search ERROR x", "error"),
    (b"2026-11-23 15:00:00.000 UTC [12] docrag@docrag ERROR:  deadlock detected", "error"),
    (b"fail: Microsoft.AspNetCore.Server[13]", "error"),
    (b"ERRO[0012] x", "error"),
    (b"[2026-11-23T12:00:00Z ERROR api::http] no answer", "error"),
    (b"[2026-11-23T12:00:00Z INFO  api::http] ERROR: none", "info"),
    (b"[2026-11-23 12:00:00,123 ERROR app] no answer", "error"),
    (b"2026-11-23 12:00:00.123 app.main ERROR no answer", "error"),
    (b"2026-11-23 12:00:00,123 [MainThread] app.main ERROR no answer", "error"),
    (b"2026-11-23 12:00:00,123|ERROR|app|no answer", "error"),
    (b"2026-11-23 12:00:00.123 | WARNING  | app:main:7 - slow", "warning"),
    # words that are no levels
    (b"2026-11-23 15:00:00,123|search|ERROR rows were counted", "none"),
    (b"2026-11-23 15:00:00 search ERROR rows were counted", "none"),
    (b"[page 7 of ERROR handbook] indexed", "none"),
    (b"fail: 0", "none"),
    (b"error=nil", "none"),
    (b"error: nil", "none"),
    (b"0 errors", "none"),
    (b"no error", "none"),
    (b"errors: 0", "none"),
    (b'10.0.0.1 - - [23/Nov/2026:15:00:00 +0000] "GET /ERROR HTTP/1.1" 200', "none"),
    (b"Error handling was improved", "none"),
    (b"\xff\xfe\x00", "none"),
    (b"", "none"),
]


@pytest.mark.parametrize(("text", "level"), LINES)
def test_level_of_a_line(text: bytes, level: str):
    assert level_of(text) == level


@pytest.mark.parametrize(("text", "level"), LINES)
def test_runs_of_info_lines_hold_no_other_line(text: bytes, level: str):
    if INFO_RUN.match(STAMP + text + b"\n"):
        assert level == Level.INFO


@pytest.mark.parametrize(
    "text",
    [
        b'{"level": "info", "message": "request", "status": 200}',
        b'{"timestamp":"2026-11-23T15:00:00Z","level":"INFO","fields":{"message":"x"}}',
        b"2026-11-23T15:00:00.123456Z  INFO api::http: error=nil",
        b"2026-11-23 15:00:00,123 [INFO] x",
        b'ts=2026-11-23T15:00:00Z level=info msg="x"',
    ],
)
def test_the_common_shapes_are_counted_in_runs(text: bytes):
    run = (STAMP + text + b"\n") * 3
    assert INFO_RUN.fullmatch(run)
    assert level_of(text) is Level.INFO


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"level":"error","message":"no answer","status":503,"ts":1}', "no answer status=503"),
        (b'{"level":"error","fields":{"message":"no answer","code":7}}', "no answer fields.code=7"),
        (b"2026-11-23T15:00:00Z ERROR api::http: no answer", "api::http: no answer"),
        (b'ts=1 level=error msg="no answer" err=timeout', 'msg="no answer" err=timeout'),
        (b"2026/11/23 06:00:01 [error] 7#7: *1 connect() failed", "7#7: *1 connect() failed"),
        (b"ERROR", "ERROR"),
        (b"ERROR \xff\x00", r"\xff\x00"),
    ],
)
def test_message_is_what_is_said_without_time_and_level(line: bytes, message: str):
    assert message_of(line) == message
