"""pods/exec: real commands, in the pod's own cell, over a WebSocket."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from contextlib import suppress
from typing import Any

from aiohttp import web

from tests.sandbox.cluster import containers, isolation
from tests.sandbox.cluster.channels import (
    PIECE_BYTES,
    PROTOCOLS,
    STDERR,
    STDOUT,
    V5,
    Channels,
    exit_status,
    failure,
)
from tests.sandbox.cluster.cluster import Cluster
from tests.sandbox.cluster.folders import EVERY_POD, claim_mounts
from tests.sandbox.cluster.isolation import Cell, IsolationUnavailableError
from tests.sandbox.cluster.parameters import flag
from tests.sandbox.cluster.statuses import PlainError, bad_request

Object = dict[str, Any]
Process = asyncio.subprocess.Process
ALONE_SECONDS = 5  # how long a command may go on after its client has gone
STOP_SECONDS = 2
OWN = "/opt"  # what the image brings along, where a part of the sandbox has put something there


class Execution:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.running: set[Process] = set()
        self._proven = False
        self._farewells: set[asyncio.Task[None]] = set()

    async def serve(self, request: web.Request, pod: Object) -> web.StreamResponse:
        container = containers.chosen(request, pod)
        argv = request.query.getall("command", [])
        if not argv:
            raise bad_request("you must specify at least 1 command for the container")
        if not pod["spec"].get("nodeName"):
            raise bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise bad_request("Upgrade request required: the stand-in offers exec over WebSocket only")
        trouble = await self._trouble(pod, container["name"])
        if trouble and V5 not in request.headers.get("Sec-WebSocket-Protocol", ""):
            raise PlainError(500, trouble)  # v4 is passed through to the kubelet, which refuses the upgrade
        socket = web.WebSocketResponse(protocols=PROTOCOLS, compress=False, max_msg_size=2**24, timeout=2)
        await socket.prepare(request)
        channels = Channels(socket)
        if trouble:
            await channels.end(failure(trouble))
        else:
            await self._run(request, channels, pod, container, argv)
        return socket

    async def stop(self) -> None:
        """End every command and wait for it: what is left would complain when the loop is gone."""
        for process in tuple(self.running):
            _kill(process)
        for _ in range(STOP_SECONDS * 50):
            if not self.running:
                return
            await asyncio.sleep(0.02)

    async def _trouble(self, pod: Object, container: str) -> str:
        """What the kubelet would refuse, before any command starts."""
        if dialling := containers.kubelet_trouble(self.cluster.current, pod):
            return f"error dialing backend: {dialling}"
        status = containers.status_of(pod, container)
        if status is None or "running" not in status["state"]:
            return f'unable to upgrade connection: container not found ("{container}")'
        if not self._proven:
            try:
                await isolation.require(self._cell(pod))
            except IsolationUnavailableError as error:
                return f"the stand-in runs no command unprotected: {error}"
            self._proven = True
        return ""

    async def _run(
        self, request: web.Request, channels: Channels, pod: Object, container: Object, argv: list[str]
    ) -> None:
        cell = self._cell(pod)
        if problem := cell.problem_with(argv[0]):
            await channels.end(failure(_runtime_error(argv[0], problem)))
            return
        with_stdin = flag(request, "stdin")
        joined = flag(request, "tty")  # a terminal has one output stream
        process = await asyncio.create_subprocess_exec(
            *cell.command(argv),
            stdin=asyncio.subprocess.PIPE if with_stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if joined else asyncio.subprocess.PIPE,
            env=self._environment(pod, container),
            start_new_session=True,
        )
        self.running.add(process)
        feeding = asyncio.ensure_future(channels.feed(process.stdin))
        output = asyncio.ensure_future(_output(channels, process))
        try:
            await asyncio.wait((feeding, output), return_when=asyncio.FIRST_COMPLETED)
            if output.done():
                with suppress(ConnectionError):
                    await channels.end(exit_status(argv, output.result()))
        finally:
            feeding.cancel()
            farewell = asyncio.ensure_future(self._farewell(process, output))
            self._farewells.add(farewell)
            farewell.add_done_callback(self._farewells.discard)

    async def _farewell(self, process: Process, output: asyncio.Future[int]) -> None:
        """Let a command whose client has gone end by itself, for a while; then end all of it."""
        if process.returncode is None:
            await asyncio.wait((asyncio.ensure_future(process.wait()),), timeout=ALONE_SECONDS)
        _kill(process)
        output.cancel()
        await asyncio.gather(output, return_exceptions=True)  # that its client has gone is no complaint
        with suppress(TimeoutError):
            await asyncio.wait_for(_emptied(process), STOP_SECONDS)
        self.running.discard(process)

    def _cell(self, pod: Object) -> Cell:
        folders = self.cluster.folders
        folders.create(pod)
        own = [OWN] if folders.inside(pod, OWN).exists() else []
        paths = (*EVERY_POD, *claim_mounts(pod).values(), *own)
        return Cell(
            hostname=pod["metadata"]["name"],
            folders={path: folders.inside(pod, path) for path in paths},
            programs=self.cluster.state / "bin" / self.cluster.workload_of(pod),
        )

    def _environment(self, pod: Object, container: Object) -> dict[str, str]:
        """The container's own variables, and what the real parts say its programs need (exec-env.json)."""
        path = self.cluster.state / "exec-env.json"
        told = json.loads(path.read_text()) if path.exists() else {}
        given = {entry["name"]: entry["value"] for entry in container.get("env", ()) if "value" in entry}
        return {
            "PATH": isolation.PATH,
            "HOME": "/root",
            "HOSTNAME": pod["metadata"]["name"],
            "LANG": "C.UTF-8",
            "KUBERNETES_SERVICE_HOST": "10.96.0.1",
            "KUBERNETES_SERVICE_PORT": "443",
            **given,
            **told.get(self.cluster.workload_of(pod), {}),
        }


async def _output(channels: Channels, process: Process) -> int:
    pumps = [
        channels.pump(source, channel)
        for source, channel in ((process.stdout, STDOUT), (process.stderr, STDERR))
        if source is not None
    ]
    for ending in await asyncio.gather(*pumps, return_exceptions=True):  # both: nobody reads beside another
        if isinstance(ending, BaseException):
            raise ending
    return await process.wait()


async def _emptied(process: Process) -> None:
    """Take what a killed command had still written: asyncio does not call it ended before."""
    for source in (process.stdout, process.stderr):
        while source is not None and await source.read(PIECE_BYTES):
            pass
    await process.wait()


def _kill(process: Process) -> None:
    """End the command and everything it started: its bubblewrap takes the whole PID namespace along."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _runtime_error(program: str, problem: str) -> str:
    return (
        f"error executing command in container: failed to exec in container: failed to start exec "
        f'"{secrets.token_hex(32)}": OCI runtime exec failed: exec failed: unable to start container process: '
        f'exec: "{program}": {problem}: unknown'
    )
