"""Bearer tokens and what their holders may do."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox.cluster.kinds import Resource
from tests.sandbox.cluster.statuses import forbidden, unauthorized

ROLES = Path(__file__).parent / "data" / "roles.yaml"


@dataclass(frozen=True)
class User:
    name: str
    rules: tuple[dict[str, list[str]], ...]

    def may(self, verb: str, resource: Resource, subresource: str = "") -> bool:
        asked = f"{resource.plural}/{subresource}" if subresource else resource.plural
        return any(
            _covers(rule["apiGroups"], resource.group)
            and _covers(rule["resources"], asked)
            and _covers(rule["verbs"], verb)
            for rule in self.rules
        )

    def require(self, verb: str, resource: Resource, subresource: str, namespace: str, name: str) -> None:
        if not self.may(verb, resource, subresource):
            raise forbidden(self.name, verb, resource, subresource, namespace, name)


def _covers(allowed: list[str], value: str) -> bool:
    return "*" in allowed or value in allowed


class Access:
    """Tokens are made once per state folder, so that a kubeconfig survives a restart."""

    def __init__(self, state: Path) -> None:
        roles: dict[str, Any] = yaml.safe_load(ROLES.read_text())
        self.tokens = _tokens(state / "cluster" / "tokens.json", list(roles))
        self._users = {
            self.tokens[context]: User(role["user"], tuple(role["rules"])) for context, role in roles.items()
        }

    def user(self, authorization: str) -> User:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or token not in self._users:
            raise unauthorized()
        return self._users[token]


def _tokens(path: Path, contexts: list[str]) -> dict[str, str]:
    tokens: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    if set(contexts) <= tokens.keys():
        return tokens
    tokens |= {context: secrets.token_urlsafe(32) for context in contexts if context not in tokens}
    write_private(path, json.dumps(tokens).encode())
    return tokens


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, at no moment half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_bytes(content)
    partial.replace(path)
