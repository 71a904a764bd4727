"""Routes of the API, and the switches that make it slow, wrong or failing."""

import asyncio
import hmac
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

import psycopg
import redis.asyncio as aioredis
from aiohttp import web
from redis.exceptions import RedisError

from tests.sandbox import traffic
from tests.sandbox.api.answers import Answers
from tests.sandbox.api.database import Database
from tests.sandbox.api.logs import PodLogs
from tests.sandbox.api.metrics import UNKNOWN_TOKEN, RequestMetrics
from tests.sandbox.settings import Settings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
FAULTS = ("api_slow", "api_wrong_answer", "api_errors")
CONTROL_HEADER = "X-Sandbox-Control"
SLOW_SECONDS = 3.0
ERROR_RATIO = 0.3
NOTED_SHARE = 0.02
"""Share of questions that leave an audit row: tables grow, but not so that a check should worry."""


class Api:
    """What the handlers share."""

    def __init__(self, answers: Answers, logs: PodLogs, control: str) -> None:
        self.answers = answers
        self.logs = logs
        self.metrics = RequestMetrics()
        self.faults: set[str] = set()
        self._control = control
        self._pending: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", self.healthz),
            web.post("/query", self.query),
            web.get("/documents/{id}", self.document),
            web.get("/metrics", self.show_metrics),
            web.post("/sandbox/faults/{name}", self.switch),
        ]

    async def healthz(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def query(self, request: web.Request) -> web.Response:
        question = await _question(request)
        if not question:
            raise web.HTTPBadRequest(text='Expected JSON such as {"question": "..."}')
        found, cached = await self.answers.answer(question)
        await _think(traffic.QUERY, cached)
        if random.random() < NOTED_SHARE:
            task = asyncio.create_task(self.answers.note_use(random.randint(1000, 2000), "query"))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)
        if "api_wrong_answer" in self.faults:
            found = {**found, "answer": str(found["answer"]).replace("90 days", "30 days")}
        return web.json_response({**found, "cached": cached})

    async def document(self, request: web.Request) -> web.Response:
        text = request.match_info["id"]
        number = int(text) if text.isdecimal() and len(text) < 19 else 0
        found, cached = await self.answers.document(number)
        await _think(traffic.DOCUMENT, cached)
        if found is None:
            raise web.HTTPNotFound(text="No such document")
        return web.json_response(found)

    async def show_metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self.metrics.text(), content_type="text/plain")

    async def switch(self, request: web.Request) -> web.Response:
        """Turn a fault on or off: {"on": true}. Without the secret this path does not exist."""
        name = request.match_info["name"]
        secret = request.headers.get(CONTROL_HEADER, "")
        if not hmac.compare_digest(secret.encode(), self._control.encode()) or name not in FAULTS:
            raise web.HTTPNotFound
        on = (await request.json())["on"]
        (self.faults.add if on else self.faults.discard)(name)
        return web.json_response({"faults": sorted(self.faults)})

    async def measured(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every request but those of the sandbox itself is counted, timed and logged."""
        path = (
            request.match_info.route.resource.canonical if request.match_info.route.resource else "unmatched"
        )
        if path == "/metrics" or path.startswith("/sandbox/"):
            return await handler(request)
        began, status = time.monotonic(), 500
        try:
            response = await self._broken_or(request, handler)
            status = response.status
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            seconds = time.monotonic() - began
            self.metrics.observe(request.method, path, status, seconds)
            self._log(request, status, seconds)
        return response

    async def _broken_or(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if "api_slow" in self.faults:
            await asyncio.sleep(SLOW_SECONDS)
        is_probe = request.path == "/healthz"
        if "api_errors" in self.faults and not is_probe and random.random() < ERROR_RATIO:
            self.logs.write("error", "answer could not be composed", error="model returned no tokens")
            return web.json_response({"error": "internal"}, status=500)
        if request.headers.get("Authorization"):
            return self._refuse(request)
        try:
            return await handler(request)
        except (psycopg.Error, TimeoutError) as error:
            self.logs.write("error", "database did not answer", error=str(error).strip() or "timed out")
            return web.json_response({"error": "database unavailable"}, status=503)

    def _refuse(self, request: web.Request) -> web.Response:
        """Nobody has a token: everything here is public, and whoever shows one is guessing."""
        self.metrics.auth_failures[UNKNOWN_TOKEN] += 1
        client = request.headers.get("X-Forwarded-For", request.remote or "")
        self.logs.write("warning", "auth failed", reason=UNKNOWN_TOKEN, client=client, path=request.path)
        return web.json_response({"error": "unauthorized"}, status=401)

    def _log(self, request: web.Request, status: int, seconds: float) -> None:
        level = "info" if status < 400 else "warning" if status < 500 else "error"
        details = {"method": request.method, "path": request.path, "status": status}
        milliseconds = round(seconds * 1000, 1)
        self.logs.write(
            level, "request", **details, duration_ms=milliseconds, request_id=uuid.uuid4().hex[:16]
        )


def application(settings: Settings, passwords: Mapping[str, str]) -> web.Application:
    database = Database(settings.postgres_port, passwords["docrag"])
    cache = aioredis.Redis(
        host="127.0.0.1",
        port=settings.redis_port,
        password=passwords["redis"],
        socket_timeout=1,
        socket_connect_timeout=1,
        max_connections=20,
        client_name="api",
    )
    logs = PodLogs(settings.pods_dir)
    api = Api(Answers(database, cache, logs), logs, passwords["control"])

    @web.middleware
    async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await api.measured(request, handler)

    async def life(app: web.Application) -> AsyncIterator[None]:
        with suppress(psycopg.Error, RedisError, TimeoutError):  # cold, then; requests will say what is wrong
            await api.answers.warm_up()
        logs.write("info", "started")
        yield
        logs.write("info", "stopping")
        await cache.aclose()
        await database.close()

    app = web.Application(middlewares=[measured])
    app.add_routes(api.routes())
    app.cleanup_ctx.append(life)
    return app


async def _question(request: web.Request) -> str:
    try:
        return str((await request.json())["question"]).strip()
    except (json.JSONDecodeError, KeyError, TypeError):
        return ""


async def _think(route: traffic.Route, cached: bool) -> None:
    """Retrieval and the language model take their time; here they sleep it."""
    await asyncio.sleep((route.cached if cached else route.computed).draw(random.Random()))
