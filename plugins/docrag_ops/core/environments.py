"""An environment: one Doc-RAG installation, and what may be done to it."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from docrag_ops.core.backup_sections import BackupsSection
from docrag_ops.core.checks import Check, Limits
from docrag_ops.core.errors import DefinitionError
from docrag_ops.core.logs.failed_words import FAILED_WORDS
from docrag_ops.core.records import Record, load_yaml, parse_record
from docrag_ops.core.security_sections import CertificatesSection, ScansSection
from docrag_ops.core.service_level.objectives import SloSection


class Workload(Record):
    """A workload that has to exist. Only those marked `restartable` may ever be restarted, evicted or scaled."""

    kind: Annotated[
        Literal["Deployment", "StatefulSet", "DaemonSet"],
        Field(description="one of: Deployment, StatefulSet, DaemonSet"),
    ]
    namespace: Annotated[str, Field(min_length=1, description="the workload's namespace, e.g. doc-rag-prod")]
    restartable: Annotated[
        bool, Field(description="true only for workloads that lose nothing when a pod is replaced")
    ] = False


class ClusterSection(Record):
    """What of the cluster belongs to this installation."""

    namespaces: Annotated[
        tuple[str, ...], Field(min_length=1, description="a list of namespaces, e.g. [doc-rag-prod]")
    ]
    workloads: Annotated[
        dict[str, Workload],
        Field(min_length=1, description="workloads by name, each with kind and namespace"),
    ]


class Question(Record):
    """A question whose answer is known."""

    path: Annotated[str, Field(pattern="^/", description="the path that takes questions, e.g. /query")]
    text: Annotated[str, Field(min_length=1, description="the question")]
    answer_contains: Annotated[str, Field(min_length=1, description="words that the right answer contains")]


class ServiceSection(Record):
    """How the API is asked whether it works."""

    health_path: Annotated[
        str, Field(pattern="^/", description="the path of the health probe, e.g. /healthz")
    ]
    question: Annotated[Question, Field(description="a mapping with path, text and answer_contains")]


class PostgresSection(Record):
    """What the database's checks need to know."""

    expected_long_transactions: Annotated[
        tuple[str, ...],
        Field(description="application names whose transactions may be long, e.g. [pg_dump]"),
    ] = ()
    unused_index_days: Annotated[
        int,
        Field(ge=0, description="for how many days an index must not have been used to be unused, e.g. 30"),
    ] = 30


class RedisSection(Record):
    """What the cache's checks need to know."""

    memory_limit_bytes: Annotated[
        int | None, Field(gt=0, description="the container's memory limit in bytes, used when maxmemory is 0")
    ] = None
    session_prefixes: Annotated[
        tuple[str, ...], Field(description="beginnings of keys that must never be evicted, e.g. ['session:']")
    ] = ()


class QdrantSection(Record):
    """What the vector store's checks need to know."""

    collections: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="the collections that have to exist, e.g. [documents]"),
    ]


class Volume(Record):
    """Paths that are measured by exec in every pod of a workload."""

    workload: Annotated[
        str, Field(min_length=1, description="a workload named under cluster.workloads, e.g. api")
    ]
    container: Annotated[str, Field(min_length=1, description="the container's name, e.g. api")]
    paths: Annotated[tuple[str, ...], Field(min_length=1, description="absolute paths, e.g. [/app/storage]")]


class StorageSection(Record):
    """Which volumes are measured."""

    volumes: Annotated[
        tuple[Volume, ...], Field(min_length=1, description="a list of workload, container, paths")
    ]


class TrafficSection(Record):
    """What the PromQL files need: each value replaces `${name}` in them."""

    variables: Annotated[
        dict[str, str],
        Field(description='texts for the PromQL files, e.g. {requests: \'job="api",route!="/healthz"\'}'),
    ]


class LoggedContainer(Record):
    """A container of a workload whose logs are reviewed, in all of its pods."""

    workload: Annotated[
        str, Field(min_length=1, description="a workload named under cluster.workloads, e.g. api")
    ]
    container: Annotated[str, Field(min_length=1, description="the container's name, e.g. api")]


class LogsSection(Record):
    """Whose logs are reviewed."""

    containers: Annotated[
        tuple[LoggedContainer, ...], Field(min_length=1, description="a list of workload, container")
    ]
    window_hours: Annotated[
        int, Field(ge=1, le=168, description="how far back each review looks, e.g. 24")
    ] = 24


class AccessSection(Record):
    """Whose logs tell of failed authentications and of rate limits."""

    containers: Annotated[
        tuple[LoggedContainer, ...], Field(min_length=1, description="a list of workload, container")
    ]
    window_hours: Annotated[
        int, Field(ge=1, le=168, description="how far back each check looks, e.g. 24")
    ] = 24
    failed_words: Annotated[
        tuple[str, ...],
        Field(
            min_length=1,
            description="regular expressions, in any case, of messages that say so, e.g. ['auth failed']",
        ),
    ] = FAILED_WORDS

    @model_validator(mode="after")
    def _words_are_expressions(self) -> AccessSection:
        for word in self.failed_words:
            try:
                re.compile(word)
            except re.error as error:
                raise ValueError(
                    f"failed_words has {word!r}, which is no regular expression: {error}"
                ) from error
        return self


class ChangeSection(Record):
    """What one kind of change may do here."""

    limits: Annotated[
        dict[str, float],
        Field(description="the blast radius by amount, e.g. {files: 500, bytes: 5e9, share: 0.5}"),
    ]
    window_hours: Annotated[
        float,
        Field(gt=0, description="hours after its due time in which a scheduled run may change something"),
    ] = 3
    policy: Annotated[dict[str, Any], Field(description="a mapping; the change kind says what it needs")] = (
        Field(default_factory=dict)
    )

    @property
    def window(self) -> timedelta:
        """How long after its due time a scheduled run may change something."""
        return timedelta(hours=self.window_hours)


class LimitOverride(Record):
    """Other limits for a check in this environment, and why."""

    warning: Annotated[float | None, Field(strict=True, description="a number in the unit of the check")] = (
        None
    )
    critical: Annotated[float | None, Field(strict=True, description="a number in the unit of the check")] = (
        None
    )
    why: Annotated[
        str, Field(min_length=1, description="the reason for departing from the check's own limits")
    ]


class Environment(Record):
    """`include/environments/NAME.yaml`. A section that is missing means that the environment has no such part."""

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9-]*$", description="the file's name without .yaml")]
    cluster: Annotated[
        ClusterSection | None, Field(description="a mapping with namespaces and workloads")
    ] = None
    service: Annotated[
        ServiceSection | None, Field(description="a mapping with health_path and question")
    ] = None
    postgres: Annotated[PostgresSection | None, Field(description="a mapping, {} for the defaults")] = None
    redis: Annotated[RedisSection | None, Field(description="a mapping, {} for the defaults")] = None
    qdrant: Annotated[QdrantSection | None, Field(description="a mapping with collections")] = None
    storage: Annotated[StorageSection | None, Field(description="a mapping with volumes")] = None
    traffic: Annotated[TrafficSection | None, Field(description="a mapping with variables")] = None
    logs: Annotated[LogsSection | None, Field(description="a mapping with containers")] = None
    slo: Annotated[
        SloSection | None, Field(description="a mapping with availability, p95_seconds and probe")
    ] = None
    certificates: Annotated[
        CertificatesSection | None, Field(description="a mapping with expected and endpoints")
    ] = None
    scans: Annotated[ScansSection | None, Field(description="a mapping with reports and results")] = None
    access: Annotated[AccessSection | None, Field(description="a mapping with containers")] = None
    backups: Annotated[BackupsSection | None, Field(description="a mapping with series and restore")] = None
    changes: Annotated[
        dict[str, ChangeSection], Field(description="change kinds, each with limits and policy")
    ] = Field(default_factory=dict)
    limits: Annotated[
        dict[str, LimitOverride], Field(description="check names, each with warning and/or critical, and why")
    ] = Field(default_factory=dict)
    exempt: Annotated[
        dict[str, Annotated[str, Field(min_length=1)]],
        Field(description="check names, each with the reason why it is not judged here"),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _pods_belong_to_workloads(self) -> Environment:
        known = self.cluster.workloads if self.cluster else {}
        named = [("storage.volumes", one.workload) for one in (self.storage.volumes if self.storage else ())]
        named += [("logs.containers", one.workload) for one in (self.logs.containers if self.logs else ())]
        named += [
            ("access.containers", one.workload) for one in (self.access.containers if self.access else ())
        ]
        if self.scans and self.scans.results:
            named.append(("scans.results", self.scans.results.workload))
        for key, workload in named:
            if workload not in known:
                raise ValueError(
                    f"{key} names the workload {workload!r}; "
                    f"expected one of cluster.workloads: {', '.join(known) or 'none is given'}"
                )
        return self

    @model_validator(mode="after")
    def _slo_has_traffic(self) -> Environment:
        if self.slo and "requests" not in (self.traffic.variables if self.traffic else {}):
            raise ValueError(
                "section 'slo' needs the key 'traffic.variables.requests', the selector of requests"
            )
        return self

    @model_validator(mode="after")
    def _certificates_are_where_we_look(self) -> Environment:
        namespaces = self.cluster.namespaces if self.cluster else ()
        for name in self.certificates.named if self.certificates else ():
            if name.partition("/")[0] not in namespaces:
                raise ValueError(
                    f"certificates names {name!r}; expected NAMESPACE/NAME with a namespace of "
                    f"cluster.namespaces: {', '.join(namespaces) or 'none is given'}"
                )
        return self

    def has_area(self, area: str) -> bool:
        """Whether the environment has the part that an area of checks looks at."""
        section = AREA_SECTIONS.get(area)
        return section is None or getattr(self, section) is not None

    def change(self, name: str) -> ChangeSection:
        """What a kind of change may do here.

        :raises DefinitionError: when the environment does not say: then it may do nothing.
        """
        if name not in self.changes:
            raise DefinitionError(
                f"Environment {self.name!r} has no key 'changes.{name}'; expected a mapping with limits (the blast "
                "radius) and policy. Without it this change may do nothing here."
            )
        return self.changes[name]

    def limits_of(self, check: Check) -> Limits:
        """The check's limits, as this environment has them."""
        override = self.limits.get(check.name)
        changes = override.model_dump(exclude_unset=True) if override else {}
        if check.limits.objective and self.slo:
            changes = {"warning": self._objective(check), **changes}
        if not changes:
            return check.limits
        try:
            return Limits.model_validate({**check.limits.model_dump(), **changes})
        except ValidationError as error:
            mistakes = "; ".join(str(one.get("ctx", {}).get("error", one["msg"])) for one in error.errors())
            raise DefinitionError(
                f"Key 'limits.{check.name}' of environment {self.name!r} does not fit the check: {mistakes}"
            ) from error

    def _objective(self, check: Check) -> float:
        value = getattr(self.slo, check.limits.objective, None)
        if not isinstance(value, float):
            raise DefinitionError(
                f"Key 'limits.objective' of check {check.name!r} is {check.limits.objective!r}; expected "
                "availability or p95_seconds, a number below the environment's 'slo'"
            )
        return value


_SAME_NAME = ("cluster", "service", "postgres", "redis", "qdrant", "storage", "traffic", "logs", "slo")
AREA_SECTIONS = {
    **{name: name for name in (*_SAME_NAME, "certificates", "scans", "access")},
    **dict.fromkeys(("backups", "restores", "scratch"), "backups"),
    "queries": "postgres",
    "indexes": "postgres",
    "cache_use": "redis",
    "routes": "traffic",
    "cache_tuning": "redis",
}
"""Area of checks → the environment's section that it looks at; other areas are everywhere."""


@lru_cache(maxsize=16)
def parse_environment(text: str, *, name: str, where: str) -> Environment:
    """Parse an environment's file.

    :raises DefinitionError: names file, key, value and what was expected.
    """
    environment = parse_record(
        Environment, load_yaml(text, where=where), what=f"environment {name!r}", where=where
    )
    if environment.name != name:
        raise DefinitionError(
            f"Key 'name' in {where} is {environment.name!r}; expected {name!r}, as the file is named"
        )
    return environment


def check_names_are_known(environment: Environment, names: frozenset[str], *, where: str) -> None:
    """Refuse limits or exemptions for checks that do not exist: a misspelt name would silently change nothing."""
    for key in ("limits", "exempt"):
        for name in getattr(environment, key):
            if name not in names:
                raise DefinitionError(
                    f"Key '{key}.{name}' in {where} names no check; expected a name from include/checks/*.yaml"
                )
