"""What Redis' measurements propose, and which proposals would throw something away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from docrag_ops.core.key_sample import KeySample
from docrag_ops.core.tuning.catalogue import Catalogue, Proposal, proposal_of
from docrag_ops.core.units import Unit, format_value

_SIZE = re.compile(r"^(\d+)(k|kb|m|mb|g|gb|b)$")
_UNITS = {"b": 1, "k": 10**3, "kb": 2**10, "m": 10**6, "mb": 2**20, "g": 10**9, "gb": 2**30}


def canonical(text: str) -> str:
    """A value as CONFIG GET shows it.

    >>> canonical("4gb"), canonical("900 1  300 10"), canonical("Yes")
    ('4294967296', '900 1 300 10', 'yes')
    """
    plain = " ".join(text.split()).lower()
    found = _SIZE.match(plain)
    return str(int(found[1]) * _UNITS[found[2]]) if found else plain


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything that proposals are made of: INFO, CONFIG GET by the names of today, a sample of the keys."""

    info: Mapping[str, object]
    settings: Mapping[str, str]
    sample: KeySample
    memory_limit_bytes: float | None
    memory_limit_from: str
    catalogue: Catalogue
    session_prefixes: Sequence[str]

    def number(self, field: str) -> float:
        """A number of INFO."""
        return float(str(self.info[field]))

    def share(self, name: str) -> float:
        """A number of the formulae."""
        return self.catalogue.shares[name]

    @property
    def least_memory(self) -> float:
        """What maxmemory must not be below: less would evict, or refuse writes, at once."""
        return self.number("used_memory") * self.share("used_memory_room")


Found = tuple[list[Proposal], list[tuple[str, str]]]


def propose(situation: Situation, profile: str) -> Found:
    """Proposals, and (setting, why) where nothing could be proposed or something has to be known."""
    if profile != "measured":
        advised = [proposal_of(*one) for one in situation.catalogue.profiles[profile].items()]
        return [held_against(situation, one) for one in advised], []
    proposals, silent = [], []
    for rule in (_maxmemory, _policy, _timeout, _keepalive, _defragment):
        for found in rule(situation):
            if isinstance(found, Proposal):
                proposals.append(held_against(situation, found))
            else:
                silent.append(found)
    return proposals, silent


def _maxmemory(situation: Situation) -> Iterator[Proposal | tuple[str, str]]:
    limit, now = situation.memory_limit_bytes, float(situation.settings["maxmemory"])
    if limit is None:
        yield "maxmemory", f"the container's memory limit is not known: {situation.memory_limit_from}"
        return
    if now and situation.share("maxmemory_least") <= now / limit <= situation.share("maxmemory_most"):
        return
    is_now = f"it is {format_value(now / limit, Unit.RATIO)} of" if now else "nothing bounds it, of"
    usual = " to ".join(
        format_value(situation.share(f"maxmemory_{end}"), Unit.RATIO) for end in ("least", "most")
    )
    yield Proposal(
        name="maxmemory",
        value=f"{int(limit * situation.share('maxmemory') // 2**20)}mb",
        why=f"{is_now} {_bytes(limit)} ({situation.memory_limit_from}); {usual} leave room to save",
    )


def _policy(situation: Situation) -> Iterator[Proposal | tuple[str, str]]:
    policy, sample = situation.settings["maxmemory-policy"], situation.sample
    forever = sample.count(lambda key: key.expires_seconds is None)
    sessions = sample.sessions(situation.session_prefixes)
    if policy.startswith("allkeys") and forever:
        yield Proposal(
            name="maxmemory-policy",
            value=policy.replace("allkeys", "volatile"),
            why=f"{policy} may throw away {forever:,} keys that never expire ({sample.extent})",
            warning=_sessions_at_risk(situation) if sessions else "",
        )
    elif sessions and policy != "noeviction":
        yield "maxmemory-policy", f"mind: {_sessions_at_risk(situation)}"
    if not situation.session_prefixes:
        yield (
            "maxmemory-policy",
            "the environment does not say which keys are sessions (redis.session_prefixes)",
        )


def _sessions_at_risk(situation: Situation) -> str:
    sessions = situation.sample.sessions(situation.session_prefixes)
    return (
        f"{sessions:,} sessions ({situation.sample.extent}) may be evicted when memory is short, by any policy but "
        f"noeviction; {situation.number('evicted_keys'):,.0f} keys were since the start. Sessions belong into a Redis "
        "of their own"
    )


def _timeout(situation: Situation) -> Iterator[Proposal]:
    if situation.settings["timeout"] != "0":
        text = f"after {situation.settings['timeout']} s it closes idle connections of the clients' pools"
        yield Proposal(name="timeout", value="0", why=f"{text}; tcp-keepalive finds dead ones")


def _keepalive(situation: Situation) -> Iterator[Proposal]:
    if situation.settings["tcp-keepalive"] == "0":
        yield Proposal(
            name="tcp-keepalive", value="300", why="connections of clients that are gone are never noticed"
        )


def _defragment(situation: Situation) -> Iterator[Proposal]:
    used, ratio = situation.number("used_memory"), situation.number("mem_fragmentation_ratio")
    if situation.settings.get("activedefrag") != "no" or used < situation.share("fragmentation_from_bytes"):
        return
    if ratio > situation.share("fragmentation"):
        text = f"{ratio:.3g} times the used memory is resident"
        yield Proposal(name="activedefrag", value="yes", why=text, warning="it takes CPU while it works")


def held_against(situation: Situation, proposal: Proposal) -> Proposal:
    """A proposal, refused where it would evict what must stay or take more memory than there is."""
    if proposal.refused:
        return proposal
    if proposal.name == "maxmemory":
        return replace(proposal, refused=_memory_refused(situation, float(canonical(proposal.value))))
    if proposal.name == "maxmemory-policy":
        return replace(proposal, refused=_policy_refused(situation, canonical(proposal.value)))
    return proposal


def _memory_refused(situation: Situation, wanted: float) -> str:
    limit = situation.memory_limit_bytes
    if limit is None:
        return f"the container's memory limit is not known: {situation.memory_limit_from}"
    if wanted == 0 or wanted > limit * situation.share("maxmemory_most"):
        most = _bytes(limit * situation.share("maxmemory_most"))
        return f"{_bytes(wanted)} is more than {most}, what a limit of {_bytes(limit)} has room for: it would be killed"
    if wanted < situation.least_memory:
        used = _bytes(situation.number("used_memory"))
        return f"{used} are in use: keys would be evicted, or writes refused, at once; raise the container's limit"
    return ""


def _policy_refused(situation: Situation, wanted: str) -> str:
    if not wanted.startswith("allkeys"):
        return ""
    forever = situation.sample.count(lambda key: key.expires_seconds is None)
    sessions = situation.sample.sessions(situation.session_prefixes)
    if forever or sessions:
        found = f"sessions ({sessions:,}) and keys that never expire ({forever:,}; {situation.sample.extent})"
        return f"it would throw away {found}"
    others = [name for name in situation.info if re.fullmatch(r"db\d+", name)]
    if len(others) > 1 or len(situation.sample.keys) < situation.sample.total:
        seen = f"{situation.sample.extent}; databases: {', '.join(others) or 'none'}"
        return f"whether it would throw sessions away is not known, not every key was looked at ({seen})"
    if not situation.session_prefixes:
        return "whether it would throw sessions away is not known: the environment gives no redis.session_prefixes"
    return ""


def _bytes(size: float) -> str:
    return format_value(size, Unit.BYTES)
