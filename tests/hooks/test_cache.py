"""Redis on bad days; its errors are in tests/checks/fixtures/redis."""

import time

import pytest

from docrag_ops.core.errors import UnreachableError
from docrag_ops.hooks import cache
from docrag_ops.hooks.cache import CacheHook
from tests.hooks.bad_servers import LIMIT_SECONDS, NO_ANSWER, port_that_refuses, serving


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(cache, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(cache, "RETRY_PAUSE_SECONDS", 0.01)


@pytest.mark.parametrize("question", ["ping", "info"])
@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_redis_that_does_not_answer_is_unreachable_in_time(connection, behaviour, question: str):
    with serving(behaviour) as server:
        connection("docrag_redis", conn_type="redis", port=server.port)
        started = time.monotonic()
        with pytest.raises(UnreachableError, match=r"Redis \(docrag_redis\) does not answer"):
            getattr(CacheHook(), question)()
        assert time.monotonic() - started < LIMIT_SECONDS


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda one: one.__name__)
def test_write_that_is_not_answered_says_why(connection, behaviour):
    with serving(behaviour) as server:
        connection("docrag_redis", conn_type="redis", port=server.port)
        assert CacheHook().write_probe() != ""


def test_redis_that_refuses_is_unreachable_without_its_password(connection):
    connection("docrag_redis", conn_type="redis", port=port_that_refuses(), password="very-secret")
    with pytest.raises(UnreachableError, match="Connection refused") as caught:
        CacheHook().ping()
    assert "very-secret" not in str(caught.value)
