"""Commands in pods. The API's public image has a busybox; nothing else of it is assumed."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.pod_commands import CommandResult, PodName
from tests.contract.witness import Witness

CONTAINER = "api"


def shell(hook: ClusterHook, pod: PodName, script: str) -> CommandResult:
    return hook.run(pod, CONTAINER, ["sh", "-c", script])


def test_exit_code_and_both_streams(hook: ClusterHook, api_pod: PodName):
    assert shell(hook, api_pod, "echo out; echo err >&2; exit 3") == CommandResult(3, "out\n", "err\n")


def test_success_without_a_word(hook: ClusterHook, api_pod: PodName):
    assert shell(hook, api_pod, "exit 0") == CommandResult(0, "", "")


def test_arguments_are_never_read_by_a_shell(hook: ClusterHook, api_pod: PodName):
    words = ["$HOME;", "`id`", "*", "'\"", "a&b=c", "", "två\nrader"]
    done = hook.run(api_pod, CONTAINER, ["printf", "%s|", *words])
    assert done == CommandResult(0, "".join(f"{word}|" for word in words), "")


@pytest.mark.parametrize("text", ["1000", '{"a": 1}', "[1, 2]", "null", "1e3"])
def test_output_that_parses_as_json_is_kept_as_it_is(hook: ClusterHook, api_pod: PodName, text: str):
    assert hook.run(api_pod, CONTAINER, ["echo", text]).stdout == f"{text}\n"


def test_bytes_that_are_no_text_do_not_end_the_run(hook: ClusterHook, api_pod: PodName):
    done = hook.run(api_pod, CONTAINER, ["printf", r"a\377\000b"])
    assert done == CommandResult(0, "a\ufffd\0b", "")


def test_characters_that_lie_across_two_frames_stay_whole(hook: ClusterHook, api_pod: PodName):
    """200 kB in lines of ten bytes: wherever the server cuts, some character of several bytes is cut."""
    done = shell(hook, api_pod, "yes 'ä€😀' | head -n 20000")
    assert (done.exit_code, len(done.stdout)) == (0, 80_000)
    assert done.stdout == "ä€😀\n" * 20_000


def test_both_streams_may_be_long(hook: ClusterHook, api_pod: PodName):
    done = shell(hook, api_pod, "yes out | head -n 50000; yes err | head -n 50000 >&2")
    assert done == CommandResult(0, "out\n" * 50_000, "err\n" * 50_000)


def test_endless_output_is_given_up(hook: ClusterHook, api_pod: PodName, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("docrag_ops.hooks.pod_commands.OUTPUT_BYTES", 100_000)
    with pytest.raises(CouldNotMeasureError, match=r"more than 100,000 bytes"):
        shell(hook, api_pod, "yes | head -n 1000000")


def test_a_missing_program_is_never_a_success(hook: ClusterHook, api_pod: PodName):
    """containerd and CRI-O refuse to start it; others let a shell's code for it through."""
    said = ""
    try:
        code = hook.run(api_pod, CONTAINER, ["no-such-program"]).exit_code
    except CouldNotMeasureError as error:
        code, said = 127, str(error).partition(": ")[2]
    assert code in (126, 127)
    assert not said or "no-such-program" in said


def test_the_time_limit_is_kept(hook: ClusterHook, api_pod: PodName):
    hook.run(api_pod, CONTAINER, ["true"])
    started = time.monotonic()
    with pytest.raises(CouldNotMeasureError, match=r"no end within 1 s"):
        hook.run(api_pod, CONTAINER, ["sleep", "8"], seconds=1)
    assert 1 <= time.monotonic() - started < 5


def test_a_command_may_be_silent_for_a_while(hook: ClusterHook, api_pod: PodName):
    assert hook.run(api_pod, CONTAINER, ["sleep", "2"], seconds=15) == CommandResult(0, "", "")


def test_commands_and_lists_side_by_side_do_not_mix(hook: ClusterHook, api_pod: PodName):
    """The Kubernetes client's own stream spoils a client that is shared."""

    def ask(word: str) -> str:
        assert hook.get("/api/v1/namespaces/doc-rag-prod") is not None
        return shell(hook, api_pod, f"sleep 0.3; echo {word}").stdout

    words = [f"word-{number}" for number in range(6)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, words)) == [f"{word}\n" for word in words]


def test_a_pod_that_does_not_exist(hook: ClusterHook):
    with pytest.raises(CouldNotMeasureError, match=r"no-such-pod.*HTTP 404"):
        hook.run(PodName("doc-rag-prod", "no-such-pod"), CONTAINER, ["true"])


def test_a_container_that_does_not_exist(hook: ClusterHook, api_pod: PodName):
    with pytest.raises(CouldNotMeasureError, match=r"no-such-container.*HTTP 400"):
        hook.run(api_pod, "no-such-container", ["true"])


def test_a_completed_pod_runs_nothing(hook: ClusterHook, witness: Witness, lacking):
    pods = [
        pod.metadata.name
        for pod in witness.pods("doc-rag-prod", **{"job-name": "docrag-migrate"})
        if pod.status.phase == "Succeeded"
    ]
    if not pods:
        lacking("the Job docrag-migrate has left no completed pod")
    with pytest.raises(CouldNotMeasureError, match="Cannot run"):
        hook.run(PodName("doc-rag-prod", pods[0]), "docrag-migrate", ["true"])


def test_a_wrong_token_runs_nothing(hook: ClusterHook, api_pod: PodName, with_token):
    with_token("wrong")
    with pytest.raises(CouldNotMeasureError, match="HTTP 401"):
        ClusterHook().run(api_pod, CONTAINER, ["true"])
