"""Who may see a run's page. Airflow's own auth manager decides; here it is asked, and answers what the test says."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException

# Airflow's own API imports starlette's test client; gone when Airflow moves to httpx2.
pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx` with `starlette.testclient`")
PAGE = "/runs/daily_health_check/manual__2026-11-23T09:00:00+00:00"


class Client:
    """Asks the application without a socket."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def get(self, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://airflow") as client:
                return await client.get(path, **options)

        return asyncio.run(ask())


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch):
    """The application with one user, `alice`, who may read one DAG."""
    from airflow.api_fastapi.core_api import security

    from docrag_ops.ui import app as pages

    class Rights:
        def is_authorized_dag(self, *, method, access_entity, details, user) -> bool:
            return (user.name, details.id, method) == ("alice", "daily_health_check", "GET")

    async def user_of(token: str | None) -> SimpleNamespace:
        if token != "alice":
            raise HTTPException(401, "Not authenticated")
        return SimpleNamespace(name="alice")

    monkeypatch.setattr(security, "resolve_user_from_token", user_of)
    monkeypatch.setattr(security, "get_auth_manager", Rights)
    monkeypatch.setattr(security.DagModel, "get_team_name", lambda _dag_id: None)
    monkeypatch.setattr(pages, "run_page", lambda dag_id, run_id: (200, f"{dag_id} {run_id}"))
    return Client(pages.create_app())


def test_nobody_sees_a_page_without_logging_in(client):
    assert client.get(PAGE).status_code == 401


def test_nobody_names_himself(client):
    assert client.get(PAGE, params={"user": "alice", "dag_id": "daily_health_check"}).status_code == 401


def test_user_with_the_right_to_the_dag_sees_its_page(client):
    answer = client.get(PAGE, headers={"Authorization": "Bearer alice"})
    assert (answer.status_code, answer.text) == (200, PAGE.removeprefix("/runs/").replace("/", " ", 1))


def test_user_without_the_right_to_the_dag_sees_nothing(client):
    answer = client.get("/runs/weekly_database_maintenance/1", headers={"Authorization": "Bearer alice"})
    assert answer.status_code == 403


def test_right_to_one_dag_opens_no_other_by_a_parameter(client):
    other = "/runs/weekly_database_maintenance/1?dag_id=daily_health_check"
    assert client.get(other, headers={"Authorization": "Bearer alice"}).status_code == 403


def test_page_forbids_scripts(client):
    policy = client.get(PAGE, headers={"Authorization": "Bearer alice"}).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_nothing_else_is_served(client, path):
    assert client.get(path, headers={"Authorization": "Bearer alice"}).status_code == 404
