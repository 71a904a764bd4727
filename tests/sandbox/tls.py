"""`python -m tests.sandbox.tls`: the place where users are served over TLS, as the ingress would be.

A real TLS listener. It loads its certificate when it starts and, as many servers do, never again. What lies in
`.sandbox/tls/served` goes before what the issuer has issued: faults put it there.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from pathlib import Path

from tests.sandbox import processes
from tests.sandbox.ports import listening_ports
from tests.sandbox.settings import Settings, load_settings

PART, CERTIFICATE = "tls", "doc-rag-tls"
ENDPOINT = "doc-rag.example.com:443"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


def folder(settings: Settings) -> Path:
    return settings.state_dir / "tls"


def start(settings: Settings) -> None:
    processes.start(
        settings,
        PART,
        [sys.executable, "-m", "tests.sandbox.tls"],
        port=settings.tls_port,
        ready=lambda: settings.tls_port in listening_ports(),
    )


def stop(settings: Settings) -> bool:
    return processes.stop(settings, PART)


def context(tls_folder: Path) -> ssl.SSLContext:
    served = tls_folder / "served"
    chosen = served if (served / "tls.crt").exists() else tls_folder / CERTIFICATE
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(chosen / "tls.crt", chosen / "tls.key")
    return made


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        writer.write(ANSWER)
        await writer.drain()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # who only wanted to see the certificate has gone
    finally:
        writer.close()


async def serve(settings: Settings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await asyncio.start_server(
        answer, "127.0.0.1", settings.tls_port, ssl=context(folder(settings)), ssl_handshake_timeout=10
    )
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(load_settings()))
