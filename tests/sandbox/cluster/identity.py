"""Names, ids and addresses that come out the same at every start, so that a pod keeps its folder."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # Kubernetes' own: no vowels, no look-alikes
NAMESPACE = uuid.UUID("6d8f5f0e-5f0b-4a58-9d3c-3a6f0f3c2b11")


def uid(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(parts)))


def letters(count: int, *parts: str) -> str:
    digest = hashlib.sha256("/".join(parts).encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:count])


def template_hash(template: dict[str, Any]) -> str:
    return letters(10, json.dumps(template, sort_keys=True))


def number(limit: int, *parts: str) -> int:
    """A number below the limit that belongs to these parts."""
    return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:6], "big") % limit


def container_id(*parts: str) -> str:
    return "containerd://" + hashlib.sha256("/".join(parts).encode()).hexdigest()


def image_id(image: str) -> str:
    return f"{image.split(':')[0]}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"
