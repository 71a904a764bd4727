"""A few sessions to PostgreSQL, opened when they are needed and again when they were lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

LARGEST_POOL = 5
WAIT_SECONDS = 2


class Database:
    """At most LARGEST_POOL sessions. Every use raises psycopg.Error, or TimeoutError when none is free."""

    def __init__(self, port: int, password: str) -> None:
        self._address: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": port,
            "user": "docrag",
            "password": password,
            "dbname": "docrag",
            "connect_timeout": 2,
            "application_name": "api",
            "options": "-c statement_timeout=5s",
        }
        self._idle: list[psycopg.AsyncConnection[Any]] = []
        self._free = asyncio.Semaphore(LARGEST_POOL)

    async def rows(self, query: str, parameters: list[object]) -> list[tuple[Any, ...]]:
        async with self._session() as session:
            cursor = await session.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        await asyncio.wait_for(self._free.acquire(), WAIT_SECONDS)
        session: psycopg.AsyncConnection[Any] | None = None
        try:
            session = await self._open()
            yield session
        except BaseException:
            if session is not None:  # after an error its state is not known; the next use opens another one
                await session.close()
            raise
        else:
            self._idle.append(session)
        finally:
            self._free.release()

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        while self._idle:
            session = self._idle.pop()
            if not session.closed:
                return session
        return await psycopg.AsyncConnection.connect(**self._address, autocommit=True)
