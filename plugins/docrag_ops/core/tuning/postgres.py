"""What PostgreSQL's measurements propose. Formulae: include/tuning/postgres.yaml, each with its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from docrag_ops.core.tuning.catalogue import Catalogue, Proposal, TuningPolicy, proposal_of
from docrag_ops.core.tuning.values import Setting, canonical, factor
from docrag_ops.core.units import Unit, format_value

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was measured. Counters cover `statistics_hours`, connections are those of now."""

    memory_limit_bytes: float | None
    memory_limit_from: str
    max_connections: int
    connections_used: int
    statistics_hours: float
    temp_files: int
    temp_bytes: float
    checkpoints_timed: int
    checkpoints_requested: int
    wal_bytes: float

    def __str__(self) -> str:
        """What was measured, in words."""
        limit = _bytes(self.memory_limit_bytes) if self.memory_limit_bytes else "not known"
        checkpoints = self.checkpoints_timed + self.checkpoints_requested
        rate = _bytes(self.wal_bytes / max(1.0, self.statistics_hours * 3600))
        return (
            f"memory limit {limit} ({self.memory_limit_from}); {self.connections_used:,} of {self.max_connections:,} "
            f"connections; in {self.statistics_hours:,.1f} h {self.temp_files:,} temporary files "
            f"({_bytes(self.temp_bytes)}), {self.checkpoints_requested:,} of {checkpoints:,} checkpoints requested, "
            f"{rate}/s of WAL."
        )


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything that proposals are made of."""

    facts: Facts
    settings: Mapping[str, Setting]
    catalogue: Catalogue
    policy: TuningPolicy

    def number(self, name: str) -> float:
        """A setting in bytes or seconds."""
        return self.settings[name].number

    def share(self, name: str) -> float:
        """A number of the formulae."""
        return self.catalogue.shares[name]

    @property
    def work_mem_most(self) -> float:
        """What every connection may take for a sort, with all of them at work, a few sorts each."""
        room = (self.facts.memory_limit_bytes or 0) * (1 - self.share("shared_buffers"))
        return room / (self.facts.max_connections * self.share("sorts_per_connection"))


Found = tuple[list[Proposal], list[tuple[str, str]]]


def propose(situation: Situation, profile: str) -> Found:
    """Proposals, and (setting, why) where nothing could be proposed."""
    if profile != "measured":
        advised = situation.catalogue.profiles[profile]
        return [_held_against(situation, proposal_of(*one)) for one in advised.items()], []
    proposals, silent = [], []
    for rule in _RULES:
        for found in rule(situation):
            if isinstance(found, Proposal):
                proposals.append(found)
            else:
                silent.append(found)
    return [*proposals, *(proposal_of(*one) for one in situation.catalogue.advice.items())], silent


def _memory(situation: Situation) -> Iterator[Proposal | tuple[str, str]]:
    """shared_buffers, effective_cache_size and maintenance_work_mem by the container's limit."""
    limit = situation.facts.memory_limit_bytes
    if limit is None:
        reason = f"the container's memory limit is not known: {situation.facts.memory_limit_from}"
        yield "shared_buffers, effective_cache_size, work_mem, maintenance_work_mem", reason
        return
    for name in ("shared_buffers", "effective_cache_size", "maintenance_work_mem"):
        wanted, share = limit * situation.share(name), situation.number(name) / limit
        if name == "maintenance_work_mem":
            wanted = min(wanted, situation.share("maintenance_work_mem_most_bytes"))
            if abs(situation.number(name) - wanted) < wanted / 4:
                continue
        if not situation.share(f"{name}_least") <= share <= situation.share(f"{name}_most"):
            yield Proposal(
                name=name,
                value=_memory_text(wanted),
                why=f"it is {format_value(share, Unit.RATIO)} of {_bytes(limit)} "
                f"({situation.facts.memory_limit_from}); "
                f"{format_value(situation.share(f'{name}_least'), Unit.RATIO)} to "
                f"{format_value(situation.share(f'{name}_most'), Unit.RATIO)} is usual",
            )


def _work_mem(situation: Situation) -> Iterator[Proposal | tuple[str, str]]:
    """Lower where all connections together could take more than there is; higher where sorts went to disk."""
    facts, now = situation.facts, situation.number("work_mem")
    if facts.memory_limit_bytes is None:
        return
    most = situation.work_mem_most
    if now > most * situation.share("work_mem_tolerance"):
        text = f"{facts.max_connections:,} connections may take {_bytes(most)} each; now it is {_bytes(now)}"
        yield Proposal(name="work_mem", value=_memory_text(max(most, 64 * 1024)), why=text)
        return
    if facts.statistics_hours < situation.policy.least_statistics_hours:
        yield "work_mem", _too_young(situation)
        return
    if facts.temp_files == 0:
        return
    mean = facts.temp_bytes / facts.temp_files
    wanted = min(most, mean * situation.share("work_mem_per_temp_file"))
    if wanted >= now * 1.25:
        text = (
            f"{facts.temp_files:,} temporary files of {_bytes(mean)} on average in {facts.statistics_hours:,.0f} h; "
            f"{facts.connections_used:,} of {facts.max_connections:,} connections are in use"
        )
        yield Proposal(name="work_mem", value=_memory_text(wanted), why=text)


def _wal(situation: Situation) -> Iterator[Proposal | tuple[str, str]]:
    """max_wal_size by the measured rate, where too many checkpoints were forced by it."""
    facts = situation.facts
    if facts.statistics_hours < situation.policy.least_statistics_hours:
        yield "max_wal_size", _too_young(situation)
        return
    checkpoints = facts.checkpoints_timed + facts.checkpoints_requested
    forced = facts.checkpoints_requested / checkpoints if checkpoints else 0.0
    if forced <= situation.share("checkpoints_requested"):
        return
    rate = facts.wal_bytes / (facts.statistics_hours * 3600)
    wanted = rate * situation.number("checkpoint_timeout") * situation.share("wal_per_checkpoint")
    text = (
        f"{facts.checkpoints_requested:,} of {checkpoints:,} checkpoints were requested, and WAL is written at "
        f"{_bytes(rate)}/s, in {facts.statistics_hours:,.0f} h"
    )
    room = situation.policy.wal_space_bytes
    if room is None:
        yield (
            "max_wal_size",
            f"{text}; but the environment does not say what the WAL may take (policy.wal_space_bytes)",
        )
    elif min(wanted, room) > situation.number("max_wal_size") * 1.1:
        yield Proposal(name="max_wal_size", value=_memory_text(min(wanted, room)), why=text)


def _storage(situation: Situation) -> Iterator[Proposal | tuple[str, str]]:
    """The planner's costs by what the environment says the data lies on; an SSD is not taken for granted."""
    if situation.policy.storage is None:
        yield "random_page_cost", "the environment does not say what the data lies on (policy.storage)"
    elif situation.policy.storage == "ssd" and situation.number("random_page_cost") > situation.share(
        "ssd_page_cost_most"
    ):
        cost = situation.share("ssd_page_cost")
        text = "the environment says ssd, where a random read costs hardly more than one in sequence"
        yield Proposal(name="random_page_cost", value=f"{cost:g}", why=text)


def _held_against(situation: Situation, proposal: Proposal) -> Proposal:
    """A profile's value, refused where the container has not the memory for it."""
    limit = situation.facts.memory_limit_bytes
    setting = situation.settings.get(proposal.name)
    if proposal.refused or setting is None or proposal.name not in _MEMORY_MOST:
        return proposal
    if limit is None:
        return replace(
            proposal,
            refused=f"the container's memory limit is not known: {situation.facts.memory_limit_from}",
        )
    try:
        wanted = float(canonical(setting, proposal.value)) * factor(setting.unit)
    except ValueError:
        return proposal  # the bounds say it better
    most, text = _MEMORY_MOST[proposal.name](situation, limit)
    if wanted <= most:
        return proposal
    return replace(
        proposal, refused=f"{proposal.value} is more than {_bytes(most)}, {text} (limit {_bytes(limit)})"
    )


_MEMORY_MOST: dict[str, Callable[[Situation, float], tuple[float, str]]] = {
    "shared_buffers": lambda s, limit: (
        limit * s.share("shared_buffers_most"),
        "the most that leaves room beside it",
    ),
    "effective_cache_size": lambda s, limit: (
        limit * s.share("effective_cache_size_most"),
        "the most that can be cached here",
    ),
    "maintenance_work_mem": lambda s, limit: (
        limit * s.share("maintenance_work_mem_most"),
        "the most for one of several workers",
    ),
    "work_mem": lambda s, limit: (
        s.work_mem_most * s.share("work_mem_tolerance"),
        f"what {s.facts.max_connections:,} connections have room for",
    ),
}
_RULES: tuple[Callable[[Situation], Iterator[Proposal | tuple[str, str]]], ...] = (
    _memory,
    _work_mem,
    _wal,
    _storage,
)


def _too_young(situation: Situation) -> str:
    return (
        f"the server's counters cover {situation.facts.statistics_hours:,.1f} h, "
        f"needs {situation.policy.least_statistics_hours:,.0f} h"
    )


def _memory_text(size: float) -> str:
    """Whole MB, or kB below 8 MB."""
    return f"{int(size // MIB)}MB" if size >= 8 * MIB else f"{int(size // 1024)}kB"


def _bytes(size: float) -> str:
    return format_value(size, Unit.BYTES)
