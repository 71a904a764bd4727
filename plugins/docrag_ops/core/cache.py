"""What Redis' INFO says about its health.

Source of the fields: https://redis.io/docs/latest/commands/info/
"""

from __future__ import annotations

from collections.abc import Mapping

from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome, TooLittle, Unmeasured

Info = Mapping[str, object]


def memory_used(info: Info, *, container_limit_bytes: int | None) -> Outcome:
    """Memory in use as a ratio of what bounds it.

    That is maxmemory; but a cache that evicts any key (allkeys-*) sits at maxmemory by design, so there, and where
    maxmemory is not set, it is the container's limit, which the whole process must stay below.
    """
    limit, policy = _number(info, "maxmemory"), str(info.get("maxmemory_policy", "unknown"))
    if limit and not policy.startswith("allkeys"):
        used = _number(info, "used_memory")
        return _one(
            value=used / limit, evidence=f"{used:,.0f} of {limit:,.0f} bytes (maxmemory), policy {policy}"
        )
    if container_limit_bytes:
        used = _number(info, "used_memory_rss")
        evidence = f"{used:,.0f} of {container_limit_bytes:,} bytes (the container's limit), policy {policy}"
        return _one(value=used / container_limit_bytes, evidence=evidence)
    if limit:
        return NotConfigured(
            f"policy {policy} keeps the cache at maxmemory, and redis.memory_limit_bytes is not given"
        )
    return Unmeasured(
        "maxmemory is 0 and the environment gives no redis.memory_limit_bytes: nothing bounds the cache's memory"
    )


def evictions(info: Info) -> Outcome:
    """Keys evicted since the server started (a counter)."""
    return _counter(info, "evicted_keys")


def expired_kept(info: Info) -> Outcome:
    """The share of kept keys that has expired, as the active cycle last estimated it."""
    expired = f"{_number(info, 'expired_keys'):,.0f} keys expired since the server started"
    return _one(value=_number(info, "expired_stale_perc") / 100, evidence=expired)


def rejected_connections(info: Info) -> Outcome:
    """Connections rejected because of maxclients since the server started (a counter)."""
    return _counter(info, "rejected_connections")


def hit_rate(info: Info) -> Outcome:
    """Keyspace hits of all look-ups since the server started (two counters)."""
    hits, misses = _number(info, "keyspace_hits"), _number(info, "keyspace_misses")
    return _one(numerator=hits, denominator=hits + misses, epoch=str(info.get("run_id", "")))


def clients_used(info: Info) -> Outcome:
    """Connected clients as a ratio of maxclients."""
    clients, most = _number(info, "connected_clients"), _number(info, "maxclients")
    return _one(
        value=clients / most,
        evidence=f"{clients:,.0f} of {most:,.0f}; blocked: {info.get('blocked_clients')}",
    )


def persistence_failures(info: Info) -> Outcome:
    """How many of the last RDB save and the last AOF write failed; each only where it is in use."""
    failed = [
        f"{field} is {info[field]!r}"
        for field in ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
        if info.get(field, "ok") != "ok"
    ]
    if "rdb_last_bgsave_status" not in info:
        return Unmeasured(
            "INFO has no rdb_last_bgsave_status: this server does not show its persistence state"
        )
    return _one(value=len(failed), evidence="; ".join(failed))


def replica_link_down(info: Info) -> Outcome:
    """Links between master and replicas that are down, seen from this server; not configured without replication."""
    if info.get("role") == "slave":
        status = info.get("master_link_status")
        evidence = f"replica of {info.get('master_host')}:{info.get('master_port')}, link {status}"
        return _one("link to the master", value=int(status != "up"), evidence=evidence)
    expected = int(_number(info, "connected_slaves"))
    if expected == 0:
        return NotConfigured("this server has no replicas", subject="links to replicas")
    states = [str(info.get(f"slave{number}")) for number in range(expected)]
    down = [state for state in states if "'state': 'online'" not in state and "state=online" not in state]
    return _one("links to replicas", value=len(down), evidence="; ".join(down))


def fragmentation(info: Info) -> Outcome:
    """Resident memory as a multiple of used memory; not judged below 100 MiB, where fixed costs dominate."""
    if _number(info, "used_memory") < 100 * 2**20:
        return TooLittle("less than 100 MiB in use: the ratio says nothing")
    return _one(value=_number(info, "mem_fragmentation_ratio"))


def _counter(info: Info, field: str) -> Outcome:
    return _one(value=_number(info, field), epoch=str(info.get("run_id", "")))


def _one(
    subject: str = "redis",
    *,
    value: float | None = None,
    numerator: float | None = None,
    denominator: float | None = None,
    epoch: str = "",
    evidence: str = "",
) -> Measured:
    return Measured(
        (
            Measurement(
                subject=subject,
                value=value,
                numerator=numerator,
                denominator=denominator,
                epoch=epoch,
                evidence=evidence,
            ),
        )
    )


def _number(info: Info, field: str) -> float:
    """A field of INFO.

    :raises KeyError: when the server does not answer it (a proxy, an old server): the check is then `unknown`.
    """
    return float(str(info[field]))
