"""Results that a scanner prints: the JSON of `trivy image`, `trivy fs` or `trivy k8s`, one or several.

Source: https://trivy.dev/latest/docs/configuration/reporting/#json
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from docrag_ops.core.measurements import Measurement
from docrag_ops.core.units import Unit, format_value

CRITICAL = "CRITICAL"
NAMED = 5
CLOCKS_DIFFER = timedelta(hours=1)
# Where `trivy k8s` lists its resources: all of them, those with findings (--report summary), or, in older versions,
# those with vulnerabilities beside those with misconfigurations.
RESOURCE_LISTS = ("Resources", "Findings", "Vulnerabilities", "Misconfigurations")
Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ScanResult:
    """What a scan of one artifact found: counts by severity, and the critical findings that can be mended."""

    artifact: str
    scanned_at: datetime | None
    counts: Mapping[str, int]
    to_fix: tuple[str, ...]
    problem: str = ""


def parse_results(text: str) -> list[ScanResult]:
    """One result per artifact. Without any, or with anything else in between, the output is no result.

    >>> parse_results('{"ArtifactName": "nginx:1.27", "CreatedAt": "2026-11-25T06:00:00Z"}')[0].artifact
    'nginx:1.27'

    :raises ValueError: quoting what came instead.
    """
    results = [one for document in _documents(text) for one in _results(document)]
    if not results:
        raise ValueError("it printed no result")
    return results


def _documents(text: str) -> Iterator[Json]:
    """JSON objects, in a list or one after the other."""
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        try:
            found, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it printed no JSON: {rest[:200]!r}") from error
        rest = rest[end:].lstrip()
        for one in found if isinstance(found, list) else [found]:
            if not isinstance(one, dict):
                raise ValueError(f"it printed JSON that is no result: {str(one)[:200]!r}")
            yield one


def _results(document: Json) -> Iterator[ScanResult]:
    """Of one document: `trivy k8s` has many resources in one."""
    scanned_at = _time(document.get("CreatedAt"))
    if "ArtifactName" in document:
        yield _result(str(document["ArtifactName"]), scanned_at, document)
        return
    listed = [document[key] for key in RESOURCE_LISTS if document.get(key) is not None]
    if "ClusterName" not in document or not listed or not all(isinstance(one, list) for one in listed):
        raise ValueError(
            f"it printed JSON that is no result of trivy (no ArtifactName): {json.dumps(document)[:200]!r}"
        )
    by_name: dict[str, list[Json]] = {}
    for one in chain(*listed):
        name = "/".join(str(one[key]) for key in ("Namespace", "Kind", "Name") if one.get(key))
        by_name.setdefault(name, []).append(one)
    for name, parts in by_name.items():
        yield _result(name, scanned_at, *parts)


def _result(artifact: str, scanned_at: datetime | None, *parts: Json) -> ScanResult:
    """Of one artifact, whose findings may be listed in several parts."""
    found = [one for part in parts for target in part.get("Results") or () for one in _findings(target)]
    return ScanResult(
        artifact=artifact,
        scanned_at=scanned_at,
        counts=Counter(severity for severity, _ in found),
        to_fix=tuple(name for severity, name in found if severity == CRITICAL and name),
        problem="; ".join(str(part["Error"]) for part in parts if part.get("Error")),
    )


def _findings(target: Json) -> Iterator[tuple[str, str]]:
    """Each finding's severity and name; without a name there is nothing to mend it with.

    Of a secret only the rule and the place: its `Match` and `Code` hold text of it.
    """
    for one in target.get("Vulnerabilities") or ():
        name = f"{one.get('VulnerabilityID', '?')} in {one.get('PkgName', '?')}"
        yield _severity(one), name if one.get("FixedVersion") else ""
    for one in target.get("Misconfigurations") or ():
        if one.get("Status", "FAIL") == "FAIL":
            yield _severity(one), f"{one.get('ID', '?')} {one.get('Title', '')}"
    for one in target.get("Secrets") or ():
        yield _severity(one), f"secret {one.get('RuleID', '?')} in {target.get('Target', '?')}"


def _severity(one: Json) -> str:
    return str(one.get("Severity") or "UNKNOWN").upper()


def _time(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def critical_to_fix(result: ScanResult, *, where: str, now: datetime, max_age: timedelta) -> Measurement:
    """How many critical findings can be mended; a result that is old, of no time or of a failed scan is a problem."""
    subject = f"{where}: {result.artifact}"
    if result.problem:
        problem = f"the scan failed: {result.problem}"
        return Measurement(subject=subject, problem=problem, evidence="; ".join(_named(result.to_fix)))
    if result.scanned_at is None:
        return Measurement(subject=subject, problem="the result does not say when it was made (CreatedAt)")
    said = f"scanned {result.scanned_at:%Y-%m-%d %H:%M} UTC"
    if result.scanned_at > now + CLOCKS_DIFFER:
        return Measurement(subject=subject, problem=f"{said}, which is in the future: check the clocks")
    if now - result.scanned_at > max_age:
        most = format_value(max_age.total_seconds(), Unit.SECONDS)
        return Measurement(subject=subject, problem=f"{said}; a result says nothing after {most}")
    counts = (
        ", ".join(f"{count:,} {name.lower()}" for name, count in sorted(result.counts.items())) or "nothing"
    )
    evidence = "; ".join((said, f"found: {counts}", *_named(result.to_fix)))
    return Measurement(subject=subject, value=len(result.to_fix), evidence=evidence)


def _named(to_fix: Sequence[str]) -> list[str]:
    more = [f"and {len(to_fix) - NAMED:,} more"] if len(to_fix) > NAMED else []
    return [*to_fix[:NAMED], *more]
