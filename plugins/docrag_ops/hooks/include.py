"""The folder `include/`: checks, environments, queries and templates, read and parsed."""

from __future__ import annotations

from pathlib import Path
from string import Template

from docrag_ops.core.checks import Check, parse_checks
from docrag_ops.core.environments import Environment, check_names_are_known, parse_environment
from docrag_ops.core.errors import DefinitionError

INCLUDE = Path(__file__).resolve().parents[3] / "include"
DEFAULT_VARIABLES = {"status": "status"}
QUERY_SOURCES = frozenset({"sql", "promql"})
SOURCES = QUERY_SOURCES | {
    "access",
    "alarms",
    "backups",
    "cache",
    "cache_keys",
    "cache_use",
    "capacity",
    "certificates",
    "charts",
    "cluster",
    "database",
    "entries",
    "indexes",
    "log_files",
    "logs",
    "restores",
    "runs",
    "scans",
    "scratch",
    "service",
    "service_level",
    "statements",
    "upkeep",
    "vectors",
    "verdicts",
    "volumes",
}


class IncludeFolder:
    """Reads `include/`; every mistake in it is a DefinitionError that names file, key and what was expected."""

    def __init__(self, root: Path = INCLUDE) -> None:
        self.root = root

    def areas(self) -> list[str]:
        """The areas that have checks, by name."""
        return sorted(path.stem for path in (self.root / "checks").glob("*.yaml"))

    def checks(self, area: str) -> tuple[Check, ...]:
        """The checks of one area, each with its query file in place."""
        where = f"include/checks/{area}.yaml"
        checks = parse_checks(self._read(Path("checks") / f"{area}.yaml"), where=where, sources=SOURCES)
        for check in checks:
            if check.source in QUERY_SOURCES:
                self._require_query(check, f"measure.{check.source}", check.source, check.asked, where=where)
            if check.guard:
                self._require_query(check, "guard.promql", "promql", check.guard.promql, where=where)
        return checks

    def _require_query(self, check: Check, key: str, source: str, name: str, *, where: str) -> None:
        if not (self.root / source / name).is_file():
            raise DefinitionError(
                f"Key {key!r} of check {check.name!r} in {where} is {name!r}; expected a file below "
                f"include/{source}/, but include/{source}/{name} does not exist"
            )

    def all_checks(self) -> dict[str, tuple[Check, ...]]:
        """All checks by area; names are unique over all of them.

        :raises DefinitionError: also for a consequence (`causes`) that names no check.
        """
        by_area = {area: self.checks(area) for area in self.areas()}
        seen: dict[str, str] = {}
        for area, checks in by_area.items():
            for check in checks:
                if check.name in seen:
                    raise DefinitionError(
                        f"Check {check.name!r} is in include/checks/{seen[check.name]}.yaml and in "
                        f"include/checks/{area}.yaml; expected each name once"
                    )
                seen[check.name] = area
        known = set(seen) | {f"{area}/*" for area in by_area}
        for area, checks in by_area.items():
            for check in checks:
                for name in set(check.causes) - known:
                    raise DefinitionError(
                        f"Key 'causes' of check {check.name!r} in include/checks/{area}.yaml names {name!r}; "
                        "expected the name of a check, or AREA/*"
                    )
        return by_area

    def environment(self, name: str) -> Environment:
        """One environment, its limits and exemptions held against the checks that exist."""
        where = f"include/environments/{name}.yaml"
        if not (self.root / "environments" / f"{name}.yaml").is_file():
            known = sorted(path.stem for path in (self.root / "environments").glob("*.yaml"))
            raise DefinitionError(
                f"Environment {name!r} has no file {where}; expected one of: {', '.join(known)}"
            )
        environment = parse_environment(
            self._read(Path("environments") / f"{name}.yaml"), name=name, where=where
        )
        checks = [check for checks in self.all_checks().values() for check in checks]
        check_names_are_known(environment, frozenset(check.name for check in checks), where=where)
        for check in checks:
            environment.limits_of(check)  # limits that do not fit are refused before anything is asked
        return environment

    def query(self, source: str, name: str) -> str:
        """The text of a query file."""
        return self._read(Path(source) / name)

    def text(self, name: str) -> str:
        """Any text file, by its path below `include/`."""
        return self._read(Path(name))

    def promql(self, name: str, variables: dict[str, str]) -> str:
        """A PromQL file without its comment lines, `${name}` replaced from the environment's variables.

        `status`, the label that holds a request's HTTP status, is `status` where they do not say otherwise.
        """
        text = "\n".join(line for line in self.query("promql", name).splitlines() if not line.startswith("#"))
        try:
            return Template(text).substitute({**DEFAULT_VARIABLES, **variables}).strip()
        except (KeyError, ValueError) as error:
            raise DefinitionError(
                f"include/promql/{name} needs {error} which the environment's traffic.variables do not give; "
                f"expected only: {', '.join(sorted(variables)) or 'none'}"
            ) from error

    def _read(self, path: Path) -> str:
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DefinitionError(f"include/{path} cannot be read: {error}") from error
