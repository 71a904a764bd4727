"""`python -m tests.sandbox.alarms`: receives alarms, each kept as a line of `.sandbox/alarms.jsonl`."""

import json
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from tests.sandbox.settings import load_settings


def application(file: Path) -> web.Application:
    """POST anything to any path: {"received_at", "path", "body"} is appended."""

    async def keep(request: web.Request) -> web.Response:
        text = await request.text()
        try:
            body = json.loads(text)
        except json.JSONDecodeError:
            body = text
        line = {"received_at": datetime.now(UTC).isoformat(), "path": request.path, "body": body}
        with file.open("a") as out:
            out.write(json.dumps(line) + "\n")
        return web.json_response({"kept": True})

    async def ready(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application(client_max_size=4 * 2**20)
    app.add_routes([web.get("/healthz", ready), web.post("/{path:.*}", keep)])
    return app


def main() -> None:
    settings = load_settings()
    app = application(settings.state_dir / "alarms.jsonl")
    web.run_app(app, host="127.0.0.1", port=settings.alarm_port, print=None, access_log=None)


if __name__ == "__main__":
    main()
