"""What every task would import and parse is imported and parsed once, by the process whose forks the tasks are.

A task is a fork of the scheduler (LocalExecutor) or of a Celery worker, and has what that one has imported; without
this, a check of the cluster spends most of its time on importing the Kubernetes client (`make bench`, `dag_run`).
Airflow's other processes import nothing here: they would only carry it around.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docrag_ops.hooks.include import IncludeFolder

log = logging.getLogger(__name__)

FORKS_TASKS = frozenset({"scheduler", "worker"})  # `airflow scheduler`, `airflow celery worker`
OURS = ("core", "hooks", "operators")
CLIENTS = (
    "airflow.providers.cncf.kubernetes.hooks.kubernetes",
    "airflow.providers.postgres.hooks.postgres",
    "airflow.providers.redis.hooks.redis",
    "cryptography.x509",
    "jinja2",
    "psycopg",
    "redis",
    "requests",
    "sqlalchemy.dialects.postgresql.psycopg",
)
TEXTS = ("reports/report.txt.j2", "reports/plan.md.j2")


def preload(arguments: Sequence[str]) -> bool:
    """Import all of it, if these are the arguments of a process that tasks are forked from; says whether they are.

    What cannot be imported is logged and left to the task that needs it: the scheduler has others to run.
    """
    if not FORKS_TASKS.intersection(arguments[1:]):
        return False
    for name in (*CLIENTS, "docrag_ops.entry", *_our_modules()):
        try:
            import_module(name)
        except ImportError as error:
            log.warning("%s cannot be imported ahead of the tasks: %s", name, error)
    _parse_definitions()
    return True


def _parse_definitions() -> None:
    """Fill the caches of what is parsed, which are kept by text: one that is edited is parsed again by its task."""
    from docrag_ops.hooks.include import IncludeFolder

    include = IncludeFolder()
    parsings: list[Callable[[], object]] = [
        *(partial(include.environment, path.stem) for path in include.root.glob("environments/*.yaml")),
        *(partial(_compile, include, name) for name in TEXTS),
    ]
    for parse in parsings:
        try:
            parse()
        except Exception as error:  # noqa: BLE001 (the scheduler starts whatever a file holds; its tasks say it)
            log.warning("A definition is left to the tasks that need it: %s", error)


def _compile(include: IncludeFolder, name: str) -> None:
    from docrag_ops.core.rendering import compiled

    compiled(include.text(name))


def _our_modules() -> Iterator[str]:
    for part in OURS:
        package = import_module(f"docrag_ops.{part}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            yield module.name
