"""The two listeners: the API over HTTPS, and the control port over plain HTTP."""

from __future__ import annotations

import ssl

from aiohttp import web


class Listener:
    """A port on 127.0.0.1 that can be closed, with every connection to it, and opened again."""

    def __init__(self, handler: web.Application, port: int, context: ssl.SSLContext | None = None) -> None:
        self.runner = web.AppRunner(handler, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        self.port, self.context = port, context
        self.site: web.TCPSite | None = None

    async def open(self) -> None:
        if self.runner.server is None:
            await self.runner.setup()
        if self.site is None:
            self.site = web.TCPSite(self.runner, "127.0.0.1", self.port, ssl_context=self.context)
            await self.site.start()
            self.port = self.runner.addresses[0][1]  # port 0 asks for a free one

    async def close(self) -> None:
        if self.site is not None:
            await self.site.stop()
            self.site = None
        if self.runner.server is not None:
            for connection in self.runner.server.connections:
                connection.force_close()
                if connection.transport is not None:
                    connection.transport.abort()


def application(handler: web.RequestHandler | object) -> web.Application:
    """An application with one handler for every path."""
    made = web.Application(client_max_size=4 * 2**20)
    made.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
    return made
