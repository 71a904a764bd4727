"""The folder include/: what is missing or misspelt in it is found when it is loaded."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from docrag_ops.core.capacity import parse_series
from docrag_ops.core.errors import DefinitionError
from docrag_ops.core.performance.charts import parse_charts
from docrag_ops.hooks.include import INCLUDE, SOURCES, IncludeFolder
from docrag_ops.operators import drill, sources
from docrag_ops.operators.sources.indexes import MISSING
from docrag_ops.operators.sources.statements import COLUMNS_BY_VERSION, NAMES, VERSION

CHANGES = "Writes|Deletes|Drops|Takes|Vacuums|Builds|Ends|Added to"


@pytest.fixture
def include(tmp_path: Path) -> IncludeFolder:
    """A copy of include/ to spoil."""
    shutil.copytree(INCLUDE, tmp_path / "include")
    return IncludeFolder(tmp_path / "include")


def change(include: IncludeFolder, file: str, spoil) -> None:
    path = include.root / file
    data = yaml.safe_load(path.read_text())
    spoil(data)
    path.write_text(yaml.safe_dump(data))


def error_of(action) -> str:
    with pytest.raises(DefinitionError) as caught:
        action()
    return str(caught.value)


def test_everything_that_is_there_loads(include: IncludeFolder):
    assert sum(len(checks) for checks in include.all_checks().values()) > 60
    assert include.environment("docrag-prod").name == "docrag-prod"


def test_missing_query_file_is_named_with_its_check_and_key(include: IncludeFolder):
    (include.root / "sql/postgres/wraparound.sql").unlink()
    assert error_of(lambda: include.checks("postgres")) == (
        "Key 'measure.sql' of check 'postgres_wraparound' in include/checks/postgres.yaml is "
        "'postgres/wraparound.sql'; expected a file below include/sql/, but "
        "include/sql/postgres/wraparound.sql does not exist"
    )


def test_missing_file_of_a_guard_is_named(include: IncludeFolder):
    (include.root / "promql/traffic/requests.promql").unlink()
    assert error_of(lambda: include.checks("traffic")).startswith(
        "Key 'guard.promql' of check 'traffic_error_ratio' in include/checks/traffic.yaml"
    )


def test_area_that_does_not_exist_is_named(include: IncludeFolder):
    assert error_of(lambda: include.checks("redits")).startswith("include/checks/redits.yaml cannot be read:")


def test_name_that_is_taken_is_named_with_both_files(include: IncludeFolder):
    change(
        include, "checks/service.yaml", lambda data: data["checks"][0].update(name="redis_ping", causes=[])
    )
    assert "'redis_ping' is in include/checks/redis.yaml and in include/checks/service.yaml" in error_of(
        include.all_checks
    )


def test_consequence_that_is_no_check_is_named(include: IncludeFolder):
    change(include, "checks/service.yaml", lambda data: data["checks"][0].update(causes=["servise_answer"]))
    assert error_of(include.all_checks).startswith(
        "Key 'causes' of check 'service_health' in include/checks/service.yaml names 'servise_answer'; expected"
    )


def test_environment_that_does_not_exist_is_named_with_those_that_do(include: IncludeFolder):
    assert error_of(lambda: include.environment("prod")) == (
        "Environment 'prod' has no file include/environments/prod.yaml; expected one of: docrag-prod"
    )


def test_misspelt_override_is_refused_at_load(include: IncludeFolder):
    override = {"redis_memoy_used": {"warning": 0.5, "why": "small"}}
    change(include, "environments/docrag-prod.yaml", lambda data: data.update(limits=override))
    assert "Key 'limits.redis_memoy_used'" in error_of(lambda: include.environment("docrag-prod"))


def test_override_that_does_not_fit_is_refused_at_load(include: IncludeFolder):
    override = {"redis_memory_used": {"warning": 50, "why": "percent"}}
    change(include, "environments/docrag-prod.yaml", lambda data: data.update(limits=override))
    assert "expected a ratio between 0 and 1" in error_of(lambda: include.environment("docrag-prod"))


def test_variable_that_a_query_needs_and_does_not_get_is_named(include: IncludeFolder):
    text = error_of(lambda: include.promql("traffic/requests.promql", {"namespaces": "x"}))
    assert text.startswith("include/promql/traffic/requests.promql needs 'requests'")
    assert "expected only: namespaces" in text


def test_every_source_has_its_module():
    folder = Path(sources.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == SOURCES


@pytest.mark.parametrize("path", sorted(INCLUDE.glob("sql/**/*.sql")), ids=lambda path: path.stem)
def test_every_query_opens_with_what_one_row_is(path: Path):
    """One that changes something opens with what it does."""
    assert re.match(rf"-- (One row|{CHANGES})\b", path.read_text())


@pytest.mark.parametrize("path", sorted(INCLUDE.glob("promql/**/*.promql")), ids=lambda path: path.stem)
def test_every_promql_opens_with_what_one_series_is(path: Path):
    assert path.read_text().startswith("# One series")


def test_every_query_file_is_used(include: IncludeFolder):
    checks = [check for checks in include.all_checks().values() for check in checks]
    used = {check.asked for check in checks} | {check.guard.promql for check in checks if check.guard}
    used |= {f"postgres/{name}.sql" for name in ("write_probe", "statements", "monitor_rights")}
    used |= {f"slo/{name}.promql" for name in ("probe", "probed_hours", "requests", "buckets")}
    kinds = parse_charts(include.text("charts/routes.yaml"), where="routes.yaml")
    used |= (
        {one.promql for one in kinds} | {name for _, name in COLUMNS_BY_VERSION} | {MISSING, NAMES, VERSION}
    )
    used |= {one.promql for one in parse_series(include.text("capacity/series.yaml"), where="series.yaml")}
    used |= {
        drill.SERVER,
        drill.EXTENSIONS,
        drill.TABLES,
        drill.OBJECTS,
        drill.LIVE_ROWS,
        "restore/known_document.sql",
    }
    package = Path(sources.__file__).parents[2]
    code = "".join(path.read_text() for path in package.rglob("*.py"))
    there = {f"{path.parent.name}/{path.name}" for path in INCLUDE.glob("*ql/**/*.*ql")}
    used |= {name for name in there if name.startswith(("maintenance/", "tuning/")) and _is_named(name, code)}
    assert there - used == set()


def _is_named(query: str, code: str) -> bool:
    """Whether the code names a query of the maintenance or the tuning, by its path or without folder and ending."""
    return f'"{query}"' in code or f'"{Path(query).stem}"' in code
