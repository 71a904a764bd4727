"""What a scanner prints, and what of it is a result."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.scan_results import critical_to_fix, parse_results

NOW = datetime(2026, 11, 25, 18, tzinfo=UTC)
CRITICAL = {"VulnerabilityID": "CVE-1", "PkgName": "ssl", "Severity": "CRITICAL", "FixedVersion": "2"}


def image(name: str = "nginx:1.27", *found: dict, **more: object) -> dict:
    results = {"Results": [{"Target": name, "Vulnerabilities": list(found)}]} if found else {}
    return {"SchemaVersion": 2, "ArtifactName": name, "CreatedAt": "2026-11-25T17:00:00Z", **results, **more}


def measured(document: dict):
    (result,) = parse_results(json.dumps(document))
    return critical_to_fix(result, where="here", now=NOW, max_age=timedelta(hours=48))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([image("a"), image("b")]),
        json.dumps(image("a")) + "\n" + json.dumps(image("b")),
        json.dumps(image("a"), indent=2) + json.dumps([image("b")]),
    ],
    ids=["list", "lines", "mixed"],
)
def test_several_results_are_all_read(text: str):
    assert [one.artifact for one in parse_results(text)] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it printed no result"),
        ("[]", "it printed no result"),
        ("Scan completed", "it printed no JSON: 'Scan completed'"),
        ("null", "it printed JSON that is no result"),
        ("{}", "no ArtifactName"),
        ('{"error": "database is locked"}', "no ArtifactName"),
        (json.dumps(image())[:-20], "it printed no JSON"),
        (json.dumps(image()) + "\npanic: out of memory", "it printed no JSON: 'panic"),
    ],
)
def test_anything_else_is_no_result(text: str, said: str):
    with pytest.raises(ValueError, match="printed") as caught:
        parse_results(text)
    assert said in str(caught.value)


def test_what_has_a_fix_counts():
    found = measured(image("x", CRITICAL, {**CRITICAL, "FixedVersion": ""}, {**CRITICAL, "Severity": "HIGH"}))
    assert found.value == 1
    assert "found: 2 critical, 1 high; CVE-1 in ssl" in found.evidence


def test_failed_settings_count_and_passed_ones_do_not():
    settings = [
        {"ID": "KSV017", "Title": "Privileged", "Severity": "CRITICAL", "Status": status}
        for status in ("FAIL", "PASS")
    ]
    found = measured(image(Results=[{"Target": "x", "Misconfigurations": settings}]))
    assert (found.value, "KSV017 Privileged" in found.evidence) == (1, True)


def test_secrets_in_an_image_count_by_severity():
    secrets = [
        {"RuleID": f"key-{severity}", "Severity": severity, "Match": "token=hunter2"}
        for severity in ("CRITICAL", "HIGH")
    ]
    found = measured(image(Results=[{"Target": "app/.env", "Class": "secret", "Secrets": secrets}]))
    assert found.value == 1
    assert found.evidence.endswith("found: 1 critical, 1 high; secret key-CRITICAL in app/.env")


def test_text_of_a_secret_is_not_told():
    secret = {"RuleID": "aws", "Severity": "CRITICAL", "Title": "AWS", "Match": "hunter2", "Code": "hunter2"}
    assert "hunter2" not in str(measured(image(Results=[{"Target": "x", "Secrets": [secret]}])))


@pytest.mark.parametrize("moment", [None, "", "yesterday", "2026-11-25T17:00:00"])
def test_result_without_a_time_is_a_problem(moment: str | None):
    assert "does not say when it was made" in measured(image(CreatedAt=moment)).problem


def test_old_result_is_a_problem():
    assert "a result says nothing after 2.0 d" in measured(image(CreatedAt="2026-11-23T17:00:00Z")).problem


def test_result_of_tomorrow_is_a_problem():
    assert "in the future" in measured(image(CreatedAt="2026-11-26T17:00:00Z")).problem


def test_resources_of_a_cluster_scan_are_results():
    cluster = {
        "ClusterName": "prod",
        "CreatedAt": "2026-11-25T17:00:00Z",
        "Resources": [
            {"Namespace": "doc-rag-prod", "Kind": "Deployment", "Name": "api", "Results": []},
            {"Namespace": "doc-rag-prod", "Kind": "Deployment", "Name": "nginx", "Error": "image not found"},
        ],
    }
    api, nginx = parse_results(json.dumps(cluster))
    assert (api.artifact, api.problem) == ("doc-rag-prod/Deployment/api", "")
    assert nginx.problem == "image not found"


def of_cluster(**listed: object) -> str:
    return json.dumps({"ClusterName": "prod", "CreatedAt": "2026-11-25T17:00:00Z", **listed})


def resource(name: str = "api", **target: object) -> dict:
    return {"Namespace": "n", "Kind": "Deployment", "Name": name, "Results": [{"Target": "x", **target}]}


PRIVILEGED = {"ID": "KSV017", "Title": "Privileged", "Severity": "CRITICAL", "Status": "FAIL"}


@pytest.mark.parametrize("key", ["Resources", "Findings", "Vulnerabilities", "Misconfigurations"])
def test_resources_are_found_under_each_name_that_trivy_gave_them(key: str):
    (found,) = parse_results(of_cluster(**{key: [resource(Misconfigurations=[PRIVILEGED])]}))
    assert (found.artifact, found.to_fix) == ("n/Deployment/api", ("KSV017 Privileged",))


def test_both_lists_of_an_older_cluster_scan_are_read():
    scan = of_cluster(
        Vulnerabilities=[resource(Vulnerabilities=[CRITICAL])],
        Misconfigurations=[resource(Misconfigurations=[PRIVILEGED]), resource("nginx")],
    )
    api, nginx = parse_results(scan)
    assert api.to_fix == ("CVE-1 in ssl", "KSV017 Privileged")
    assert (nginx.artifact, nginx.to_fix) == ("n/Deployment/nginx", ())


def test_empty_list_does_not_hide_another():
    (found,) = parse_results(
        of_cluster(Resources=[], Misconfigurations=[resource(Misconfigurations=[PRIVILEGED])])
    )
    assert found.counts == {"CRITICAL": 1}


def test_resource_whose_scan_failed_in_one_list_is_a_problem_that_names_the_rest():
    failed = {**resource(), "Results": [], "Error": "image not found"}
    scan = of_cluster(Vulnerabilities=[failed], Misconfigurations=[resource(Misconfigurations=[PRIVILEGED])])
    (result,) = parse_results(scan)
    found = critical_to_fix(result, where="here", now=NOW, max_age=timedelta(hours=48))
    assert (found.problem, found.evidence) == ("the scan failed: image not found", "KSV017 Privileged")


@pytest.mark.parametrize("listed", [{}, {"Resources": None}, {"Resources": [], "Misconfigurations": {}}])
def test_cluster_scan_without_its_lists_is_no_result(listed: dict):
    with pytest.raises(ValueError, match="no result of trivy"):
        parse_results(of_cluster(**listed))
