"""Error bodies, worded as the API server words them."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.sandbox.cluster.kinds import Resource

PLAIN_404 = "404 page not found\n"


class ApiError(Exception):
    """Becomes a `Status` body with this HTTP code."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": metadata or {},
            "status": "Failure",
            "message": message,
            "reason": reason,
        }
        if details:
            self.body["details"] = details
        self.body["code"] = code

    def response(self) -> web.Response:
        return web.Response(
            status=self.code, body=json.dumps(self.body).encode() + b"\n", content_type="application/json"
        )


class PlainError(Exception):
    """Becomes a plain-text answer, which is what paths outside every known API group get."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text

    def response(self) -> web.Response:
        return web.Response(status=self.code, text=self.text, headers={"X-Content-Type-Options": "nosniff"})


def unknown_path() -> PlainError:
    return PlainError(404, PLAIN_404)


def not_found(resource: Resource, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(
    user: str, verb: str, resource: Resource, subresource: str, namespace: str, name: str
) -> ApiError:
    what = f'{resource.qualified} "{name}" is forbidden' if name else f"{resource.qualified} is forbidden"
    asked = f"{resource.plural}/{subresource}" if subresource else resource.plural
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    message = (
        f'{what}: User "{user}" cannot {verb} resource "{asked}" in API group "{resource.group}" {where}'
    )
    return ApiError(403, "Forbidden", message, _details(resource, name))


def method_not_allowed() -> ApiError:
    return ApiError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
    )


def expired(message: str, continue_token: str = "") -> ApiError:
    return ApiError(
        410, "Expired", message, metadata={"continue": continue_token} if continue_token else None
    )


def internal(message: str) -> ApiError:
    return ApiError(500, "InternalError", message, {"causes": [{"message": message}]})


def invalid(kind: str, name: str, field: str, problem: str, cause: str = "FieldValueInvalid") -> ApiError:
    message = f'{kind} "{name}" is invalid: {field}: {problem}'
    causes = [{"reason": cause, "message": problem, "field": field}]
    return ApiError(422, "Invalid", message, {"name": name, "kind": kind, "causes": causes})


def _details(resource: Resource, name: str) -> dict[str, Any]:
    details = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    return details | {"kind": resource.plural}
