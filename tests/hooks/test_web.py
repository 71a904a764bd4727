"""HTTP services that do not answer, or not with what was asked for."""

import time

import pytest

from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.hooks.web import WebHook
from tests.hooks.bad_servers import HTML, LIMIT_SECONDS, NO_ANSWER, answers, hangs, port_that_refuses, serving


def hook(**options) -> WebHook:
    return WebHook("docrag_api", name="The API", **options)


def error_of(*, json: bool = False, **options) -> str:
    with pytest.raises(CouldNotMeasureError) as caught:
        hook(**options).ask_json("GET", "/x") if json else hook(**options).ask("GET", "/x")
    assert json or isinstance(caught.value, UnreachableError)
    return str(caught.value)


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_server_that_does_not_answer_is_unreachable_and_named(connection, behaviour):
    with serving(behaviour) as server:
        connection("docrag_api", port=server.port)
        assert error_of().startswith(
            f"The API at http://127.0.0.1:{server.port} (docrag_api) did not answer /x: "
        )


def test_server_that_refuses_is_unreachable(connection):
    connection("docrag_api", port=port_that_refuses())
    assert "Connection refused" in error_of()


def test_server_that_hangs_is_given_up_after_its_time_limit(connection):
    with serving(hangs) as server:
        connection("docrag_api", port=server.port)
        started = time.monotonic()
        assert error_of(tries=1).endswith("no answer within 0.3 s")
        assert time.monotonic() - started < LIMIT_SECONDS


def test_passing_fault_is_tried_twice_and_no_more(connection):
    with serving(answers(503, "busy")) as server:
        connection("docrag_api", port=server.port)
        assert error_of().endswith("HTTP 503: busy")
        assert server.asked == 2


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 404, 500])
def test_any_other_status_is_an_answer(connection, status: int):
    with serving(answers(status, "")) as server:
        connection("docrag_api", port=server.port)
        assert hook().ask("GET", "/x").status_code == status
        assert server.asked == 1


def test_html_instead_of_json_is_quoted(connection):
    with serving(answers(200, HTML, content_type="text/html")) as server:
        connection("docrag_api", port=server.port)
        assert "answered /x with something that is no JSON: '<html><head>" in error_of(json=True)


def test_redirect_to_a_login_page_is_not_followed(connection):
    with serving(answers(302, "")) as server:
        connection("docrag_api", port=server.port)
        assert "answered /x with HTTP 302" in error_of(json=True)


def test_password_and_token_do_not_show_in_errors(connection):
    connection(
        "docrag_api",
        port=port_that_refuses(),
        login="me",
        password="very-secret",
        extra={"token": "also-secret"},
    )
    assert "secret" not in error_of()


@pytest.mark.parametrize(
    ("keys", "url"),
    [
        ({"host": "prometheus", "port": 9090}, "http://prometheus:9090"),
        ({"host": "https://prometheus.example/"}, "https://prometheus.example"),
        ({"host": "prometheus", "schema": "https", "port": 443}, "https://prometheus:443"),
        ({"host": "https://example/prefix/"}, "https://example/prefix"),
    ],
)
def test_address_is_as_airflows_own_hook_reads_it(connection, keys: dict, url: str):
    connection("docrag_api", **keys)
    assert hook().base_url == url
