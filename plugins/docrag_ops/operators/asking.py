"""Asking the sources of measurements, so that one that fails leaves the others standing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from docrag_ops.core.checks import Check
from docrag_ops.core.environments import Environment
from docrag_ops.core.errors import CouldNotMeasureError, DefinitionError, UnreachableError
from docrag_ops.core.measurements import Exempt, Outcome, Unmeasured
from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.include import IncludeFolder

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

Answers = dict[str, Outcome]
Kept = TypeVar("Kept")


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What a source needs to know to answer.

    :param params: what was chosen in the form of the run
    """

    environment: Environment
    include: IncludeFolder
    run: RunKey
    now: datetime
    task_instance: Any
    params: Mapping[str, Any] = field(default_factory=dict)


def environment_of(context: Context) -> str:
    """The name of the environment that was chosen in the form of the run.

    Read here and no templated field of each operator: Airflow keeps such a field by a call of its own for every task.
    """
    return str(context["params"]["environment"])


def asking_of(context: Context) -> Asking:
    """What sources and changes need to know, of a running task."""
    environment, include = environment_of(context), IncludeFolder()
    return Asking(
        environment=include.environment(environment),
        include=include,
        run=RunKey(environment=environment, entry=context["dag"].dag_id, run_id=context["run_id"]),
        now=datetime.now(UTC),
        task_instance=context["ti"],
        params=context["params"],
    )


def ask_all(checks: Sequence[Check], asking: Asking) -> Answers:
    """One outcome per check. Sources live in `docrag_ops.operators.sources`, one module each, imported when asked."""
    exempt = asking.environment.exempt
    answers: Answers = {check.name: Exempt(exempt[check.name]) for check in checks if check.name in exempt}
    asked = sorted((check for check in checks if check.name not in exempt), key=lambda check: check.source)
    for source, group in groupby(asked, key=lambda check: check.source):
        answers.update(_ask_source(source, list(group), asking))
    return answers


def _ask_source(source: str, checks: list[Check], asking: Asking) -> Answers:
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        module = import_module(f"docrag_ops.operators.sources.{source}")
        answers: Answers = module.answer(checks, asking)
    except CouldNotMeasureError as error:
        return {check.name: Unmeasured(str(error)) for check in checks}
    except AirflowNotFoundException as error:
        return {check.name: Unmeasured(_without_connection(error)) for check in checks}
    return answers


def _without_connection(error: Exception) -> str:
    return (
        f"{error}. Create it in Airflow under Admin, Connections; the README has the table of what it needs"
    )


def answer_each(checks: Iterable[Check], question: Callable[[Check], Outcome]) -> Answers:
    """Ask one question after the other; once the whole system does not answer, the rest is not asked any more."""
    answers: Answers = {}
    unreachable = ""
    for check in checks:
        outcome = Unmeasured(unreachable) if unreachable else outcome_of(partial(question, check))
        if isinstance(outcome, _Unreachable):
            unreachable = outcome.reason
        answers[check.name] = outcome
    return answers


def remembered(read: Callable[[], Kept]) -> Callable[[], Kept]:
    """Reads when it is first asked. What went wrong then is said to whoever asks later, and is no reason not to ask
    other systems: it is never an UnreachableError."""
    kept: list[Kept] = []
    failures: list[CouldNotMeasureError] = []

    def ask() -> Kept:
        if not kept and not failures:
            try:
                kept.append(read())
            except CouldNotMeasureError as error:
                failures.append(error)
        if failures:
            raise CouldNotMeasureError(str(failures[0]))
        return kept[0]

    return ask


@dataclass(frozen=True)
class _Unreachable(Unmeasured):
    """Not measured because the whole system did not answer."""


def outcome_of(question: Callable[[], Outcome]) -> Outcome:
    """The outcome of a question; whatever goes wrong with it makes this one check `unknown`, and is logged."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return question()
    except UnreachableError as error:
        return _Unreachable(str(error))
    except CouldNotMeasureError as error:
        return Unmeasured(str(error))
    except AirflowNotFoundException as error:
        return Unmeasured(_without_connection(error))
    except DefinitionError:
        raise
    except (
        Exception
    ) as error:  # a source that answers what nobody foresaw must not take the other checks with it
        log.exception("A check could not be measured")
        return Unmeasured(f"unexpected {type(error).__name__}: {error} (the traceback is in this task's log)")
