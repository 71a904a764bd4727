"""Objects and lists: what exists, what does not, and lists in pages."""

import pytest

from docrag_ops.core.environments import ClusterSection
from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.cluster import ClusterHook
from tests.contract.witness import Witness

NO_NAMESPACE = "docrag-contract-no-such-namespace"
NO_GROUP = "/apis/contract.docrag.invalid/v1/things"
PODS = "/api/v1/namespaces/doc-rag-prod/pods"


def name(item):
    return item["metadata"]["name"]


def test_an_object_that_exists_is_read_as_it_is(hook: ClusterHook, section: ClusterSection):
    for namespace in section.namespaces:
        found = hook.get(f"/api/v1/namespaces/{namespace}")
        assert found is not None
        assert (found["kind"], name(found)) == ("Namespace", namespace)


def test_an_object_that_does_not_exist_is_none(hook: ClusterHook):
    assert hook.get("/apis/apps/v1/namespaces/doc-rag-prod/deployments/no-such-deployment") is None


def test_a_missing_namespace_is_none_but_lists_as_empty(hook: ClusterHook, witness: Witness, lacking):
    asked = witness.get(f"/api/v1/namespaces/{NO_NAMESPACE}").status
    if asked == 403:
        lacking("this account may not ask for namespaces outside the platform's own")
    assert hook.get(f"/api/v1/namespaces/{NO_NAMESPACE}") is None
    assert hook.list_items(f"/api/v1/namespaces/{NO_NAMESPACE}/pods", name) == []


def test_pages_of_any_size_give_the_same_list(
    hook: ClusterHook, witness: Witness, monkeypatch: pytest.MonkeyPatch
):
    pages = []
    ask = hook._ask

    def counted(path, query):
        pages.append(dict(query))
        return ask(path, query)

    monkeypatch.setattr(hook, "_ask", counted)
    before = witness.pod_names("doc-rag-prod")
    by_size = {}
    for size in (1, 3, 250):
        pages.clear()
        by_size[size] = hook.list_items(PODS, name, page_items=size)
        assert all(page["limit"] == str(size) for page in pages)
        assert len([page for page in pages if "continue" in page]) >= (len(by_size[size]) - 1) // size
    after = witness.pod_names("doc-rag-prod")
    for listed in by_size.values():
        assert len(listed) == len(set(listed))
        assert before & after <= set(listed) <= before | after
    if before == after:
        assert by_size[1] == by_size[3] == by_size[250]


def test_a_query_narrows_the_list(hook: ClusterHook):
    listed = hook.list_items(
        PODS, lambda pod: pod["metadata"]["labels"]["app"], query=[("labelSelector", "app=api")]
    )
    assert set(listed) == {"api"}


def test_an_absent_api_group_cannot_be_measured_and_is_quoted(hook: ClusterHook, witness: Witness, lacking):
    """404 in plain text: neither an empty list nor an object that is not there."""
    answer = witness.get(NO_GROUP)
    if answer.status == 403:
        lacking("this account may not ask for API groups that nobody gave it")
    assert not answer.text.startswith("{")
    for ask in (lambda: hook.list_items(NO_GROUP, dict), lambda: hook.get(f"{NO_GROUP}/one")):
        with pytest.raises(CouldNotMeasureError) as refused:
            ask()
        assert "HTTP 404" in str(refused.value)
        assert answer.text.strip() in str(refused.value)


def test_a_wrong_token_is_no_empty_list(hook: ClusterHook, with_token):
    with_token("wrong")
    for ask in (lambda: hook.list_items(PODS, dict), lambda: hook.get("/api/v1/namespaces/doc-rag-prod")):
        with pytest.raises(CouldNotMeasureError, match="HTTP 401"):
            ask()
