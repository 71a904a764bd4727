"""Finding answers: the cache first, then the documents, then the cache is told."""

import hashlib
import json
import random
from typing import Any

import psycopg
import redis.asyncio as aioredis
from redis.exceptions import RedisError

from tests.sandbox import questions
from tests.sandbox.api.database import Database
from tests.sandbox.api.logs import PodLogs

SEARCH = """
    SELECT id, title, body, ts_rank(search, query) AS score
    FROM documents, to_tsquery('english', %s) AS query
    WHERE search @@ query AND status = 'indexed'
    ORDER BY score DESC, id LIMIT 3
"""
DOCUMENT = "SELECT id, title, source, status, body, updated_at::text FROM documents WHERE id = %s"
STOP_WORDS = {"what", "which", "the", "of", "is", "to", "my", "applies"}
SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS = 900, 1800


class Answers:
    """Questions and documents. A broken cache costs time, not the answer; a broken database raises."""

    def __init__(self, database: Database, cache: aioredis.Redis, logs: PodLogs) -> None:
        self._database = database
        self._cache = cache
        self._logs = logs

    async def answer(self, question: str) -> tuple[dict[str, Any], bool]:
        """({"answer": …, "sources": [{"id", "title", "score"}]}, whether it came from the cache)."""
        key = question_key(question)
        known = await self._read(key)
        if known is not None:
            return known, True
        found = await self._search(question)
        await self._write(key, found)
        return found, False

    async def document(self, number: int) -> tuple[dict[str, Any] | None, bool]:
        """(the document or None, whether it came from the cache)."""
        known = await self._read(f"document:{number}")
        if known is not None:
            return known, True
        rows = await self._database.rows(DOCUMENT, [number])
        if not rows:
            return None, False
        names = ("id", "title", "source", "status", "body", "updated_at")
        found = dict(zip(names, rows[0], strict=True))
        await self._write(f"document:{number}", found)
        return found, False

    async def warm_up(self) -> None:
        """Have the popular questions and documents in the cache before anybody asks."""
        for question in questions.ALL:
            await self._write(question_key(question), await self._search(question))
        numbers = list(range(1, questions.POPULAR_DOCUMENTS + 1))
        for row in await self._database.rows(DOCUMENT.replace("= %s", "= ANY(%s)"), [numbers]):
            names = ("id", "title", "source", "status", "body", "updated_at")
            await self._write(f"document:{row[0]}", dict(zip(names, row, strict=True)))

    async def note_use(self, user: int, action: str) -> None:
        """Keep the user's session alive and say in the audit log what was done; failing that, log it."""
        try:
            await self._database.rows("UPDATE user_sessions SET last_seen_at = now() WHERE id = %s", [user])
            await self._database.rows(
                "INSERT INTO audit_logs (created_at, actor, action, object_type, details) "
                "VALUES (now(), %s, %s, 'document', '{}')",
                [f"user-{user}", action],
            )
        except (psycopg.Error, TimeoutError) as error:
            self._logs.write("error", "audit row was not written", error=str(error).strip())

    async def _search(self, question: str) -> dict[str, Any]:
        words = [word for word in question.lower().strip("?").replace("-", " ").split() if word.isalnum()]
        terms = " & ".join(word for word in words if word not in STOP_WORDS)
        rows = await self._database.rows(SEARCH, [terms]) if terms else []
        sources = [{"id": row[0], "title": row[1], "score": round(float(row[3]), 4)} for row in rows]
        return {"answer": rows[0][2] if rows else "No document answers this question.", "sources": sources}

    async def _read(self, key: str) -> dict[str, Any] | None:
        try:
            text = await self._cache.get(key)
        except RedisError as error:
            self._logs.write("warning", "cache cannot be read", key=key, error=str(error))
            return None
        return dict(json.loads(text)) if text else None

    async def _write(self, key: str, value: dict[str, Any]) -> None:
        try:
            life = random.randint(SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS)
            await self._cache.set(key, json.dumps(value), ex=life)
        except RedisError as error:
            self._logs.write("warning", "cache cannot be written", key=key, error=str(error))


def question_key(question: str) -> str:
    return f"query:{hashlib.sha256(question.encode()).hexdigest()[:24]}"
