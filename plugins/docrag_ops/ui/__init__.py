"""The pages that Airflow's UI shows: a tab on every run with its report.

The plugin mounts `LazyApp`; FastAPI and all the rest are imported at the first request, as the plugin file is imported
by every task process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class LazyApp:
    """An ASGI application that is made when it is first asked."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Hand the request on to the application."""
        if self._app is None:
            from docrag_ops.ui.app import create_app

            self._app = create_app()
        await self._app(scope, receive, send)


FASTAPI_APP = {"app": LazyApp(), "url_prefix": "/docrag", "name": "Doc-RAG reports"}
REPORT_TAB = {
    "name": "Report",
    "href": "/docrag/runs/{DAG_ID}/{RUN_ID}",
    "destination": "dag_run",
    "url_route": "docrag-report",
}
