"""Environments: what is wrong with one is said with file, key, value and what was expected."""

import pytest
import yaml

from docrag_ops.core.environments import check_names_are_known, parse_environment
from docrag_ops.core.errors import DefinitionError
from tests.core.making import check

WHERE = "include/environments/prod.yaml"
API = {"kind": "Deployment", "namespace": "doc-rag"}
CLUSTER = {"namespaces": ["doc-rag"], "workloads": {"api": API}}


def parse(**keys):
    return parse_environment(yaml.safe_dump({"name": "prod", **keys}), name="prod", where=WHERE)


def error_of(**keys) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse(**keys)
    return str(caught.value)


def test_section_that_is_left_out_does_not_exist():
    environment = parse(redis={})
    assert [area for area in ("redis", "postgres", "calendar") if environment.has_area(area)] == [
        "redis",
        "calendar",
    ]


def test_workloads_are_not_restartable_unless_they_say_so():
    assert parse(cluster=CLUSTER).cluster.workloads["api"].restartable is False


def test_unknown_kind_of_workload_says_which_there_are():
    cluster = {**CLUSTER, "workloads": {"api": {**API, "kind": "Deploymnt"}}}
    assert error_of(cluster=cluster) == (
        f"Key 'cluster.workloads.api.kind' of environment 'prod' in {WHERE} is 'Deploymnt'; "
        "expected one of: Deployment, StatefulSet, DaemonSet"
    )


def test_misspelt_section_is_named_with_those_that_are_known():
    text = error_of(postgress={})
    assert text.startswith(
        f"Key 'postgress' of environment 'prod' in {WHERE} is not known; expected one of: "
    )


def test_name_has_to_be_the_files():
    assert (
        error_of(name="other") == f"Key 'name' in {WHERE} is 'other'; expected 'prod', as the file is named"
    )


def test_volume_of_an_unknown_workload_is_refused():
    volumes = [{"workload": "apii", "container": "api", "paths": ["/x"]}]
    text = error_of(cluster=CLUSTER, storage={"volumes": volumes})
    assert "storage.volumes names the workload 'apii'; expected one of cluster.workloads: api" in text


def test_limits_of_a_check_that_does_not_exist_are_refused():
    environment = parse(limits={"redis_memoy_used": {"warning": 0.5, "why": "small"}})
    with pytest.raises(DefinitionError, match=r"Key 'limits.redis_memoy_used' in .* names no check"):
        check_names_are_known(environment, frozenset({"redis_memory_used"}), where=WHERE)


def test_exemption_of_a_check_that_does_not_exist_is_refused():
    with pytest.raises(DefinitionError, match=r"Key 'exempt.redis_pink' in .* names no check"):
        check_names_are_known(parse(exempt={"redis_pink": "no"}), frozenset({"redis_ping"}), where=WHERE)


def test_exemption_needs_a_reason():
    assert "Key 'exempt.redis_ping'" in error_of(exempt={"redis_ping": ""})


def test_other_limits_need_a_reason():
    assert "Key 'limits.x.why' of environment 'prod'" in error_of(limits={"x": {"warning": 0.5}})


def test_other_limits_replace_only_what_they_name():
    environment = parse(limits={"some_check": {"warning": 0.5, "why": "small"}})
    limits = environment.limits_of(check(unit="ratio", warning=0.8, critical=0.9))
    assert (limits.warning, limits.critical, limits.why) == (0.5, 0.9, "small")


def test_other_limits_that_do_not_fit_the_check_are_refused():
    environment = parse(limits={"some_check": {"warning": 50, "why": "percent"}})
    with pytest.raises(
        DefinitionError, match=r"Key 'limits.some_check' of .*: limit 'warning' is 50.0; expected"
    ):
        environment.limits_of(check(unit="ratio", warning=0.8, critical=0.9))


def test_limits_cannot_be_taken_away_altogether():
    environment = parse(limits={"some_check": {"warning": None, "critical": None, "why": "annoying"}})
    with pytest.raises(DefinitionError, match="neither limit"):
        environment.limits_of(check(unit="ratio", warning=0.8, critical=0.9))


SLO = {"availability": 0.999, "p95_seconds": 0.5, "probe": "up"}
TRAFFIC = {"variables": {"requests": 'job="api"'}}
WORK = {"start": "2026-11-29T02:00:00Z", "end": "2026-11-29T03:00:00Z", "reason": "upgrade", "owner": "dba"}


def test_objective_replaces_the_limit_of_a_check_that_names_it():
    of = check(unit="ratio", below=True, warning=0.999)
    of = of.model_copy(update={"limits": of.limits.model_copy(update={"objective": "availability"})})
    assert parse(traffic=TRAFFIC, slo={**SLO, "availability": 0.99}).limits_of(of).warning == 0.99
    limits = {"some_check": {"warning": 0.95, "why": "a contract"}}
    assert parse(traffic=TRAFFIC, slo=SLO, limits=limits).limits_of(of).warning == 0.95
    assert parse().limits_of(of).warning == 0.999


def test_objective_of_all_requests_is_none():
    assert "'slo.availability' of environment 'prod'" in error_of(
        traffic=TRAFFIC, slo={**SLO, "availability": 1}
    )


def test_objectives_need_the_selector_of_requests():
    assert "section 'slo' needs the key 'traffic.variables.requests'" in error_of(slo=SLO)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"start": "2026-11-29T02:00:00"}, "slo.planned.0.start"),
        ({"end": "2026-11-29T01:00:00Z"}, "expected an end after the start"),
        ({"end": "2027-11-29T01:00:00Z"}, "at most 7 days later"),
        ({"owner": ""}, "slo.planned.0.owner"),
    ],
)
def test_planned_window_is_dated_and_owned(changes, wrong: str):
    assert wrong in error_of(traffic=TRAFFIC, slo={**SLO, "planned": [{**WORK, **changes}]})


def test_certificate_outside_the_namespaces_is_refused():
    endpoints = [{"host": "x.example.com", "certificate": "ingress/x-tls"}]
    text = error_of(cluster=CLUSTER, certificates={"endpoints": endpoints})
    assert "certificates names 'ingress/x-tls'; expected NAMESPACE/NAME with a namespace of" in text


def test_certificate_without_its_namespace_is_refused():
    endpoints = [{"host": "x.example.com", "certificate": "x-tls"}]
    text = error_of(cluster=CLUSTER, certificates={"endpoints": endpoints})
    assert "expected the Certificate it serves, e.g. doc-rag-prod/doc-rag-tls" in text


@pytest.mark.parametrize(
    ("section", "value", "key"),
    [
        ("access", {"containers": [{"workload": "apii", "container": "api"}]}, "access.containers"),
        ("scans", {"results": {"workload": "apii", "container": "x", "command": ["x"]}}, "scans.results"),
    ],
)
def test_workload_of_the_security_checks_has_to_exist(section, value, key):
    assert f"{key} names the workload 'apii'" in error_of(cluster=CLUSTER, **{section: value})


def test_words_that_are_no_expression_are_refused():
    containers = [{"workload": "api", "container": "api"}]
    text = error_of(cluster=CLUSTER, access={"containers": containers, "failed_words": ["auth (failed"]})
    assert "failed_words has 'auth (failed', which is no regular expression" in text


DUMP = {"part": "postgres", "files": "docrag-%Y%m%d.dump", "format": "custom"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"files": "docrag-%y.dump"}, "%y is not known"),
        ({"format": "tar"}, "format 'tar' is none of postgres"),
        ({"part": "qdrant"}, "format 'custom' is none of qdrant"),
        ({"part": "postgress"}, "expected what is backed up, one of: postgres, qdrant, configuration"),
    ],
)
def test_series_of_backups_that_makes_no_sense_is_refused(changed, said):
    text = error_of(backups={"series": {"dump": {**DUMP, **changed}}})
    assert "backups.series.dump" in text
    assert said in text


def test_time_zone_of_backups_that_nobody_knows_is_refused():
    text = error_of(backups={"timezone": "Europe/Berlyn", "series": {"dump": DUMP}})
    assert "timezone is 'Europe/Berlyn'; expected a name such as UTC or Europe/Berlin" in text


def test_areas_of_the_restore_need_the_section_of_backups():
    without, with_it = parse(), parse(backups={"series": {"dump": DUMP}})
    areas = ("backups", "restores", "scratch")
    assert [without.has_area(area) for area in areas] == [False] * 3
    assert [with_it.has_area(area) for area in areas] == [True] * 3
