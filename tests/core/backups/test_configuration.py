"""The configuration's backup against the objects that live."""

import pytest

from docrag_ops.core.backups.configuration import differences, read_archive
from docrag_ops.core.backups.errors import DamagedError
from tests.core.backups.making import chunks, tar

DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "api", "namespace": "doc-rag-prod"},
    "spec": {
        "replicas": 3,
        "template": {"spec": {"containers": [{"name": "api", "resources": {"limits": {"cpu": "1000m"}}}]}},
    },
}
LIVE = {
    "metadata": {"name": "api", "uid": "x"},
    "spec": {
        "replicas": 3,
        "strategy": {"type": "RollingUpdate"},
        "template": {
            "spec": {
                "containers": [{"name": "api", "image": "", "resources": {"limits": {"cpu": "1"}}}],
                "dnsPolicy": "ClusterFirst",
            }
        },
    },
    "status": {"replicas": 3},
}


def live(**changes: object) -> dict[str, object]:
    return {**LIVE, "spec": {**LIVE["spec"], **changes}}


def test_defaults_of_the_cluster_are_no_difference():
    assert differences(DEPLOYMENT, LIVE, is_scaled=False) == []


def test_other_field_is_named_without_its_value():
    secret = {"data": {"password": "kept", "same": "1"}}
    assert differences(secret, {"data": {"password": "live", "same": 1}}, is_scaled=False) == [
        "data.password"
    ]


def test_replicas_belong_to_the_autoscaler():
    assert differences(DEPLOYMENT, live(replicas=7), is_scaled=True) == []
    assert differences(DEPLOYMENT, live(replicas=7), is_scaled=False) == ["spec.replicas"]


def test_container_that_is_gone_is_a_difference():
    assert differences(DEPLOYMENT, live(template={"spec": {"containers": []}}), is_scaled=False)


def test_items_with_names_may_be_in_another_order():
    kept = {"spec": {"ports": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}}
    other = {"spec": {"ports": [{"name": "b", "port": 2}, {"name": "a", "port": 1}]}}
    assert differences(kept, other, is_scaled=False) == []


def test_objects_of_all_documents_and_lists_are_read():
    text = b"""
kind: Service
metadata: {name: a, namespace: n}
---
kind: List
items:
  - {kind: Service, metadata: {name: b, namespace: n}}
  - {kind: Secret, metadata: {name: s, namespace: n}}
"""
    files = {
        "m/one.yaml": text,
        "two.json": b'{"kind": "ConfigMap", "metadata": {"name": "c"}}',
        "README": b"{",
    }
    backup = read_archive(chunks(tar(files)))
    assert set(backup.objects) == {
        ("Service", "n", "a"),
        ("Service", "n", "b"),
        ("ConfigMap", "default", "c"),
    }
    assert (backup.files, backup.others) == (2, 1)


@pytest.mark.parametrize("text", [b"a: [", b"\xff\xfe", b"just text"])
def test_file_that_is_no_configuration_is_damage(text):
    with pytest.raises(DamagedError):
        read_archive(chunks(tar({"one.yaml": text})))
