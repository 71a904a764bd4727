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
