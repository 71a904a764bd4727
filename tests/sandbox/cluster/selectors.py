"""Label and field selectors, with the API server's complaints about bad ones."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.sandbox.cluster.kinds import Resource
from tests.sandbox.cluster.statuses import bad_request

Labels = dict[str, str]
Test = Callable[[Labels], bool]

NAME = r"(?:[A-Za-z0-9.\-]+/)?[A-Za-z0-9](?:[A-Za-z0-9_.\-]*[A-Za-z0-9])?"
VALUE = r"[A-Za-z0-9_.\-]*"
SET_BASED = re.compile(rf"^({NAME})\s+(in|notin)\s+\(([^)]*)\)$")
EQUALITY = re.compile(rf"^({NAME})\s*(==|=|!=)\s*({VALUE})$")
EXISTENCE = re.compile(rf"^(!?)\s*({NAME})$")
COMPARISON = re.compile(rf"^({NAME})\s*([<>])\s*(-?\d+)$")
OUTSIDE_BRACKETS = re.compile(r",(?![^(]*\))")


def label_test(selector: str) -> Test | None:
    """None when the selector selects everything."""
    if not selector.strip():
        return None
    tests = [_requirement(part.strip(), selector) for part in OUTSIDE_BRACKETS.split(selector)]
    return lambda labels: all(test(labels) for test in tests)


def _requirement(part: str, selector: str) -> Test:
    if match := SET_BASED.match(part):
        key, operator, listed = match.groups()
        values = {value.strip() for value in listed.split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := EQUALITY.match(part):
        key, operator, value = match.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := COMPARISON.match(part):
        key, operator, bound = match.groups()
        sign = 1 if operator == ">" else -1
        return lambda labels: labels.get(key, "").isdigit() and sign * (int(labels[key]) - int(bound)) > 0
    if match := EXISTENCE.match(part):
        negated, key = match.groups()
        return lambda labels: (key in labels) != bool(negated)
    raise bad_request(f"unable to parse requirement: found '{part}' in selector {selector!r}")


def field_test(resource: Resource, selector: str) -> Test | None:
    """Only the fields that the resource offers may be asked for: `status.reason=Evicted` is a 400."""
    if not selector.strip():
        return None
    wanted: list[tuple[str, bool, str]] = []
    for part in selector.split(","):
        match = re.match(r"^([^=!]+?)\s*(==|=|!=)\s*(.*)$", part.strip())
        if match is None:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        path, operator, value = match.groups()
        offered = (
            "metadata.name",
            *(("metadata.namespace",) if resource.namespaced else ()),
            *resource.fields,
        )
        if path not in offered:
            raise bad_request(_unsupported(resource, path))
        wanted.append((path, operator != "!=", value))
    return lambda fields: all((fields.get(path, "") == value) == equal for path, equal, value in wanted)


def _unsupported(resource: Resource, path: str) -> str:
    if resource.fields:
        return f"field label not supported: {path}"
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def matches(selector: dict[str, str] | None, labels: Labels | None) -> bool:
    """Whether a Service's plain selector selects these labels; an empty one selects nothing."""
    return bool(selector) and all((labels or {}).get(key) == value for key, value in (selector or {}).items())
