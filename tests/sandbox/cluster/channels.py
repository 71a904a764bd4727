"""The frames of a remote command: one byte of channel, then data (v4 and v5.channel.k8s.io)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

V5 = "v5.channel.k8s.io"
PROTOCOLS = (V5, "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PIECE_BYTES = 32 * 1024
SUCCESS = {"metadata": {}, "status": "Success"}


class Channels:
    """One exec's WebSocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket

    async def pump(self, source: asyncio.StreamReader, channel: int) -> None:
        """Forward a command's output until it ends, no faster than the client reads."""
        while piece := await source.read(PIECE_BYTES):
            await self.socket.send_bytes(bytes((channel,)) + piece)

    async def feed(self, stdin: asyncio.StreamWriter | None) -> None:
        """Forward the client's input to the command; returns when the client is gone."""
        async for message in self.socket:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT) or not message.data:
                continue
            data = message.data.encode() if isinstance(message.data, str) else message.data
            if stdin is None:
                continue
            if data[0] == STDIN and not stdin.is_closing():
                stdin.write(data[1:])
                await _drained(stdin)
            elif data[:2] == bytes((CLOSE, STDIN)):
                stdin.close()

    async def end(self, status: dict[str, Any]) -> None:
        await self.socket.send_bytes(bytes((ERROR,)) + json.dumps(status).encode())
        await self.socket.close()


def exit_status(argv: list[str], code: int) -> dict[str, Any]:
    if code == 0:
        return SUCCESS
    words = " ".join(argv)
    return {
        "metadata": {},
        "status": "Failure",
        "message": "command terminated with non-zero exit code: "
        f"error executing command [{words}], exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure(message: str) -> dict[str, Any]:
    """A command that never started. Its cause is no number, which breaks clients that expect one."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {message}",
        "reason": "InternalError",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }


async def _drained(stdin: asyncio.StreamWriter) -> None:
    try:
        await stdin.drain()
    except ConnectionError:  # the command no longer reads; its exit code says the rest
        stdin.close()
