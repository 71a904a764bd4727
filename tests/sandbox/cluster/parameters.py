"""Query parameters, read as the API server reads them."""

from __future__ import annotations

from aiohttp import web

from tests.sandbox.cluster.statuses import bad_request


def flag(request: web.Request, name: str) -> bool:
    """Only an absent parameter, "0" and "false" in any case are false; Python's clients send "True" and "False"."""
    return request.query.get(name, "0").lower() not in ("0", "false")


def integer(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    try:
        return int(text) if text else None
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error
