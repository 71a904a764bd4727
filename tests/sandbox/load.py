"""`python -m tests.sandbox.load`: the people who use Doc-RAG, a few requests a second, day and night."""

import asyncio
import random
import signal
import time

import aiohttp

from tests.sandbox import nginx_logs, questions, traffic
from tests.sandbox.api.logs import PodLines
from tests.sandbox.history.keeper import built_at
from tests.sandbox.settings import Settings, load_settings

MOST_AT_ONCE = 50
RARE_DOCUMENT_SHARE = 0.04
MISTAKEN_SHARE = 0.0002
"""Share of requests that come with a token that is not valid any more: some fifty a day."""
NGINX_PODS = 2


async def run(settings: Settings) -> None:
    """Send requests at random moments, at the model's rate, whether earlier ones were answered or not."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    anchor, source = built_at(settings), random.Random()
    pending: set[asyncio.Task[None]] = set()
    timeout = aiohttp.ClientTimeout(total=10)
    front = nginx_logs.lines_of(settings)
    for _ in range(2 * NGINX_PODS):
        front.append(nginx_logs.reopened())
    base = f"http://127.0.0.1:{settings.api_port}"
    async with aiohttp.ClientSession(base, timeout=timeout) as session:
        while not stop.is_set():
            rate = traffic.requests_per_second(time.time(), anchor)
            await _pause(stop, source.expovariate(rate))
            if len(pending) < MOST_AT_ONCE:
                task = asyncio.create_task(send(session, source, settings.rows, front))
                pending.add(task)
                task.add_done_callback(pending.discard)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def send(
    session: aiohttp.ClientSession, source: random.Random, documents: int, front: PodLines
) -> None:
    """One request through the nginx in front; how it is answered is the API's business, and Prometheus'."""
    route = source.choices(traffic.ROUTES, [route.share for route in traffic.ROUTES])[0]
    path, body = route.path, None
    if route is traffic.QUERY:
        body = {"question": questions.ALL[traffic.popular(source, len(questions.ALL))]}
    elif route is traffic.DOCUMENT:
        path = f"/documents/{_document(source, documents)}"
    client = nginx_logs.client(source)
    headers = {"X-Forwarded-For": client}
    if source.random() < MISTAKEN_SHARE:
        headers["Authorization"] = "Bearer of-last-year"
    try:
        async with session.request(route.method, path, json=body, headers=headers) as answer:
            content = await answer.read()
        front.append(nginx_logs.access(client, route.method, path, answer.status, len(content)))
    except (aiohttp.ClientError, TimeoutError):
        await asyncio.sleep(0.2)  # refused at once: do not spin


def _document(source: random.Random, documents: int) -> int:
    kind = source.random()
    if kind < traffic.DOCUMENT.missing_share:
        return documents + source.randint(1000, 9999)
    if kind < traffic.DOCUMENT.missing_share + RARE_DOCUMENT_SHARE:
        return source.randint(1, documents)
    return 1 + traffic.popular(source, min(documents, questions.POPULAR_DOCUMENTS))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


if __name__ == "__main__":
    asyncio.run(run(load_settings()))
