"""What may be set at all and what is recommended: `include/tuning/NAME.yaml`, and the policy of an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from docrag_ops.core.records import Record
from docrag_ops.core.tuning.config_map import ConfigMapPolicy


class Advice(Record):
    """A value that somebody recommends, with the reason; or the reason why it is refused."""

    value: Annotated[str, Field(min_length=1, description="the value in quotes, e.g. '64MB'")]
    why: Annotated[str, Field(min_length=1, description="the reason for the value")]
    warning: Annotated[str, Field(description="what else it brings, shown to who approves")] = ""
    refused: Annotated[str, Field(description="why it is never applied")] = ""
    restart: Annotated[bool, Field(description="true where the server has to be told when it starts")] = False


class Catalogue(Record):
    """Settings and profiles of one system."""

    allowed: Annotated[
        tuple[str, ...], Field(min_length=1, description="the settings that may be changed, e.g. [work_mem]")
    ]
    shares: Annotated[
        dict[str, float], Field(description="numbers of the formulae, by name, e.g. {shared_buffers: 0.25}")
    ]
    advice: Annotated[
        dict[str, Advice], Field(description="settings that are proposed wherever they are not so")
    ] = Field(default_factory=dict)
    former_names: Annotated[
        dict[str, str], Field(description="what older servers call a setting, by its name today")
    ] = Field(default_factory=dict)
    profiles: Annotated[
        dict[str, dict[str, Advice]], Field(description="ready-made values by profile and setting")
    ] = Field(default_factory=dict)


class ProbePolicy(Record):
    """How it is noticed that a setting did harm."""

    query: Annotated[
        str, Field(pattern=r"^[\w/-]+\.sql$", description="a file below include/sql/, e.g. tuning/probe.sql")
    ] = "tuning/probe.sql"
    repeats: Annotated[int, Field(ge=3, le=101, description="how often it is asked, e.g. 9")] = 9
    worse_times: Annotated[
        float, Field(gt=1, description="how many times the median before counts as worse, e.g. 1.5")
    ] = 1.5
    worse_seconds: Annotated[
        float, Field(ge=0, description="a difference that never counts as worse, e.g. 0.02")
    ] = 0.02


class TuningPolicy(Record):
    """`changes.postgres_settings.policy` and `changes.redis_settings.policy` of an environment."""

    workload: Annotated[
        str, Field(description="the workload of cluster.workloads whose container has the memory limit")
    ] = ""
    container: Annotated[str, Field(description="the container's name, e.g. postgres")] = ""
    memory_limit_bytes: Annotated[
        int | None, Field(gt=0, description="the memory limit, where no cluster says it, e.g. 2147483648")
    ] = None
    storage: Annotated[
        Literal["ssd", "disk"] | None, Field(description="what the data lies on: ssd or disk")
    ] = None
    wal_space_bytes: Annotated[
        int | None, Field(gt=0, description="how much of the volume the WAL may take, e.g. 4294967296")
    ] = None
    least_statistics_hours: Annotated[
        float, Field(gt=0, description="how much past the server's counters have to cover, e.g. 24")
    ] = 24
    config_map: Annotated[
        ConfigMapPolicy | None, Field(description="a mapping with namespace, name and key, where it has one")
    ] = None
    probe: Annotated[ProbePolicy, Field(description="a mapping with query, repeats, worse_times")] = Field(
        default_factory=ProbePolicy
    )


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A value for a setting, and why; `refused` says why it must not be applied, `warning` what else it brings."""

    name: str
    value: str
    why: str
    warning: str = ""
    refused: str = ""
    restart: bool = False


def proposal_of(name: str, advice: Advice) -> Proposal:
    """What a profile or the standing advice says about a setting."""
    return Proposal(name=name, **advice.model_dump())
