"""`measure: {service: NAME}`: the API, asked as its users ask it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from docrag_ops.core.checks import Check
from docrag_ops.core.environments import ServiceSection
from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.core.measurements import Measured, Measurement, Outcome, Unmeasured
from docrag_ops.hooks.web import WebHook
from docrag_ops.operators.asking import Answers, Asking, answer_each

if TYPE_CHECKING:
    from requests import Response


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Ask the health probe and the known question, each once, without trying again: a user would not either."""
    section = asking.environment.service
    if section is None:
        raise CouldNotMeasureError("the environment has no section 'service'")
    hook = WebHook("docrag_api", name="The API", tries=1)
    asked = {check.asked for check in checks}
    answers = {"healthz": _health(hook, section)} if "healthz" in asked else {}
    if asked & {"answer", "answer_seconds"}:
        answers["answer"], answers["answer_seconds"] = _known_question(hook, section)
    return answer_each(checks, lambda check: answers[check.asked])


def _health(hook: WebHook, section: ServiceSection) -> Outcome:
    """0 when the probe answers 200, 1 with the reason when not: a service that answers nobody is down."""
    try:
        response = hook.ask("GET", section.health_path)
    except UnreachableError as error:
        return _one(section.health_path, 1, str(error))
    good = response.status_code == 200
    return _one(
        section.health_path,
        int(not good),
        "" if good else f"HTTP {response.status_code}: {response.text[:500]}",
    )


def _known_question(hook: WebHook, section: ServiceSection) -> tuple[Outcome, Outcome]:
    """Whether the right answer came (0) or not (1), and after how many seconds; a failure has no latency."""
    question = section.question
    started = time.perf_counter()
    try:
        response = hook.ask("POST", question.path, json={"question": question.text})
    except UnreachableError as error:
        return _one(question.text, 1, str(error)), Unmeasured(f"no answer, so no latency: {error}")
    seconds = time.perf_counter() - started
    if response.status_code != 200:
        evidence = f"HTTP {response.status_code}: {response.text[:500]}"
        return _one(question.text, 1, evidence), Unmeasured(f"no answer, so no latency: {evidence}")
    right = question.answer_contains in response.text or question.answer_contains in _unescaped(response)
    evidence = "" if right else f"expected {question.answer_contains!r}, got: {response.text[:500]}"
    return _one(question.text, int(not right), evidence), _one(question.text, seconds)


def _unescaped(response: Response) -> str:
    """A JSON answer with its letters as they are: many servers write `\\u00fc` for ü."""
    try:
        return json.dumps(response.json(), ensure_ascii=False)
    except ValueError:
        return ""


def _one(subject: str, value: float, evidence: str = "") -> Measured:
    return Measured((Measurement(subject=subject, value=value, evidence=evidence),))
