"""The log of the nginx pods: a line for every request that comes in, as nginx in front of the API would write it."""

import random
from datetime import UTC, datetime

from tests.sandbox.api.logs import PodLines
from tests.sandbox.settings import Settings

AGENT = "doc-rag-web/3.2"


def lines_of(settings: Settings) -> PodLines:
    return PodLines(settings.pods_dir, "nginx")


def client(source: random.Random) -> str:
    """The address of somebody who uses the service."""
    return f"198.51.100.{source.randrange(2, 250)}"


def access(address: str, method: str, path: str, status: int, size_bytes: int = 512) -> str:
    """A line in the combined format."""
    now = f"{datetime.now(UTC):%d/%b/%Y:%H:%M:%S} +0000"
    return f'{address} - - [{now}] "{method} {path} HTTP/1.1" {status} {size_bytes} "-" "{AGENT}"'


def limited(address: str, path: str) -> str:
    """What the error log says of a request that met the limit."""
    now = datetime.now(UTC)
    return (
        f"{now:%Y/%m/%d %H:%M:%S} [error] 29#29: *{random.randrange(10**6)} limiting requests, excess: 20.640 by zone "
        f'"per_client", client: {address}, server: doc-rag.example.com, request: "GET {path} HTTP/1.1", '
        'host: "doc-rag.example.com"'
    )


def reopened() -> str:
    return f"{datetime.now(UTC):%Y/%m/%d %H:%M:%S} [notice] 1#1: signal 10 (SIGUSR1) received, reopening logs"
