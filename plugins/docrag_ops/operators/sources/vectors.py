"""`measure: {vectors: NAME}`: the vector store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from docrag_ops.core import vectors
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.core.measurements import Measured, Measurement, Outcome
from docrag_ops.hooks.web import WebHook
from docrag_ops.operators.asking import Answers, Asking, answer_each

PER_COLLECTION: dict[str, Callable[[str, Mapping[str, Any]], Measurement]] = {
    "collection_status": vectors.collection_status,
    "optimizer_failures": vectors.optimizer_failures,
    "points": vectors.points,
}


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask each question; the collections are read once."""
    hook = WebHook("docrag_qdrant", name="Qdrant")
    expected = asking.environment.qdrant.collections if asking.environment.qdrant else ()
    store = _Store(hook)

    def ask(check: Check) -> Outcome:
        if check.asked == "ready":
            return _ready(hook)
        if check.asked == "missing_collections":
            return Measured(tuple(vectors.missing_collections(expected, store.names())))
        measure = PER_COLLECTION[check.asked]
        return Measured(tuple(measure(name, store.collection(name)) for name in store.names()))

    return answer_each(sorted(checks, key=lambda check: check.asked != "ready"), ask)


def _ready(hook: WebHook) -> Outcome:
    """0 when Qdrant says that it is ready, 1 with the reason when not."""
    try:
        response = hook.ask("GET", "/readyz")
    except UnreachableError as error:
        return Measured((Measurement(subject="qdrant", value=1, evidence=str(error)),))
    evidence = "" if response.status_code == 200 else f"HTTP {response.status_code}: {response.text[:500]}"
    return Measured((Measurement(subject="qdrant", value=int(bool(evidence)), evidence=evidence),))


class _Store:
    """Collections, read once each."""

    def __init__(self, hook: WebHook) -> None:
        self._hook = hook
        self._collections: dict[str, Mapping[str, Any]] | None = None

    def names(self) -> list[str]:
        return list(self._all())

    def collection(self, name: str) -> Mapping[str, Any]:
        return self._all()[name]

    def _all(self) -> dict[str, Mapping[str, Any]]:
        if self._collections is None:
            names = [one["name"] for one in self._result("/collections")["collections"]]
            self._collections = {name: self._result(f"/collections/{quote(name, safe='')}") for name in names}
        return self._collections

    def _result(self, path: str) -> Any:
        body = self._hook.ask_json("GET", path)
        if not isinstance(body, dict) or "result" not in body:
            raise CouldNotMeasureError(f"Qdrant answered {path} without a result: {str(body)[:300]!r}")
        return body["result"]
