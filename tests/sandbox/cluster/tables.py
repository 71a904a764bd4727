"""The Table form of lists, which is what `kubectl get` asks for and prints."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.sandbox.cluster.columns import COLUMNS, WIDE, Column, age
from tests.sandbox.cluster.kinds import Resource
from tests.sandbox.cluster.store import Record

Object = dict[str, Any]
NAME: Column = ("Name", 0, lambda obj: obj["metadata"]["name"])
AGE: Column = ("Age", 0, age)


def wanted(request: web.Request) -> bool:
    return "as=Table" in request.headers.get("Accept", "")


def render(resource: Resource, records: list[Record], metadata: Object) -> bytes:
    """A Table of these records, built row by row so that thousands of them are never all in memory as objects."""
    if resource.kind == "Event":
        columns = COLUMNS["Event"]
    else:
        columns = [NAME, *COLUMNS.get(resource.kind, []), AGE, *WIDE.get(resource.kind, [])]
    head = {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(name, priority) for name, priority, _ in columns],
    }
    rows = b",".join(_row(columns, record.load()) for record in records)
    return json.dumps(head)[:-1].encode() + b',"rows":[' + rows + b"]}"


def _row(columns: list[Column], obj: Object) -> bytes:
    """The cells, and the object's metadata for --show-labels and the like."""
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    return json.dumps({"cells": [cell(obj) for _, _, cell in columns], "object": partial}).encode()


def _definition(name: str, priority: int) -> Object:
    return {
        "name": name,
        "type": "string",
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": priority,
    }
