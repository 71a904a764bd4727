"""A review reads streams as they come: cut anywhere, in any format, with stack traces."""

import random
from collections import Counter

import pytest

from docrag_ops.core.logs.levels import Level, level_of
from docrag_ops.core.logs.review import LONGEST_LINE, Review
from tests.core.logs.test_levels import LINES

SECOND = "2026-11-23T12:00:{:02}.000000000Z "


def stream(*texts: str) -> bytes:
    return "".join(f"{SECOND.format(number)}{text}\n" for number, text in enumerate(texts)).encode()


def review_of(*texts: str) -> Review:
    review = Review()
    review.read("api-1", [stream(*texts)])
    return review


def templates(review: Review) -> dict[str, int]:
    return {template.text: template.count for template in review.miner.seen()}


def test_lines_are_counted_by_level_however_the_stream_is_cut():
    lines = [SECOND.format(i % 60).encode() + text for i, (text, _) in enumerate(LINES * 50)]
    random.Random(1).shuffle(lines)
    data = b"\n".join(lines) + b"\n"
    whole, cut = Review(), Review()
    whole.read("api-1", [data])
    cuts = sorted(random.Random(2).sample(range(len(data)), 100))
    cut.read("api-1", [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)])
    assert whole.counts == cut.counts
    expected = Counter(level_of(line.split(b" ", 1)[1]) for line in lines)
    assert {level: whole.counts[level] for level in ("error", "info", "warning")} == {
        level: expected[Level(level)] for level in ("error", "info", "warning")
    }
    assert whole.lines == len(lines)


def test_a_stack_trace_belongs_to_the_line_before():
    review = review_of(
        "2026-11-23 12:00:00,000 ERROR app: search failed",
        "Traceback (most recent call last):",
        '  File "app.py", line 1, in search',
        "    raise ValueError",
        "ValueError: no index",
        '{"level":"info","message":"next"}',
    )
    assert review.counts == {Level.ERROR: 1, Level.CONTINUED: 4, Level.INFO: 1}
    assert templates(review) == {"app: search failed": 1}


def test_an_uncaught_exception_is_one_error_known_by_its_message():
    review = review_of(
        '{"level":"info","message":"before"}',
        "Traceback (most recent call last):",
        '  File "app.py", line 1, in search',
        "psycopg.OperationalError: connection refused",
        "started again",
    )
    assert review.counts == {Level.INFO: 1, Level.ERROR: 1, Level.CONTINUED: 2, Level.NONE: 1}
    assert templates(review) == {"psycopg.OperationalError: connection refused": 1}


def test_a_rust_panic_is_known_by_place_and_message():
    review = review_of(
        "thread 'main' panicked at src/main.rs:7:5:",
        "called `Option::unwrap()` on a `None` value",
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
    )
    assert (review.errors, review.counts[Level.CONTINUED]) == (1, 2)
    assert list(templates(review)) == [
        "thread 'main' panicked at src/main.rs:<*>: called `Option::unwrap()` on a `None` value"
    ]


def test_a_go_panic_and_a_java_trace_are_one_error_each():
    review = review_of(
        "panic: runtime error: index out of range [5] with length 3",
        "",
        "goroutine 1 [running]:",
        "main.search(0xc000012345)",
        "\t/app/main.go:12 +0x1d",
        "exit status 2",
        "2026-11-23 12:00:00.000 [main] ERROR c.e.App - no answer",
        "java.net.ConnectException: refused",
        "\tat java.base/sun.nio.ch.Net.connect(Net.java)",
        "Caused by: java.io.IOException: x",
        "\t... 3 more",
    )
    assert review.errors == 2


def test_top_lines_say_when_and_where():
    review = Review()
    review.read("api-1", [stream('{"level":"error","message":"no answer","id":1}')])
    review.read("api-2", [stream("x", '{"level":"error","message":"no answer","id":2}')])
    (template,) = review.miner.seen()
    assert (template.count, template.pod, template.last_at) == (2, "api-2", "2026-11-23T12:00:01.000000000Z")
    assert template.first_at == "2026-11-23T12:00:00.000000000Z"
    assert template.example == '{"level":"error","message":"no answer","id":2}'


def test_what_the_kubelet_says_instead_of_a_log_is_no_line():
    review = Review()
    read = review.read("api-1", [b"unable to retrieve container logs for containerd://abc"])
    assert (read.lines, read.unreadable, review.lines) == (0, 1, 0)
    assert read.complaint == "unable to retrieve container logs for containerd://abc"


def test_a_line_without_end_costs_no_memory():
    review = Review()
    pieces = [SECOND.format(0).encode() + b"ERROR x", *([b"y" * 65536] * 100), b"\n", stream("ERROR z")]
    read = review.read("api-1", pieces)
    assert (read.lines, review.errors) == (2, 2)
    assert LONGEST_LINE < 100 * 65536


def test_what_was_read_before_the_stream_broke_off_stays_counted():
    def broken():
        yield stream("ERROR x")
        raise ConnectionError

    review = Review()
    with pytest.raises(ConnectionError):
        review.read("api-1", broken())
    assert (review.errors, review.coverage[0].lines) == (1, 1)


def test_entries_that_may_have_a_level_in_an_unknown_form_are_counted():
    """Python's `%(asctime)s %(name)s %(levelname)s` with a `datefmt`: a message may begin alike."""
    review = review_of(
        "INFO: fine", "2026-11-23 12:00:00 app.rag ERROR no answer", "2 of 3 are done", "GET /ERROR 404"
    )
    assert (review.doubtful, review.doubtful_example) == (1, "2026-11-23 12:00:00 app.rag ERROR no answer")


def test_size_of_what_was_read_is_known():
    assert review_of("x").coverage[0].size_bytes == len(stream("x"))
