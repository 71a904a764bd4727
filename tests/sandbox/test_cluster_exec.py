"""Remote commands: real ones, kept inside their pod, with the manners of kubelet and API server."""

import asyncio
import concurrent.futures
import gc
import subprocess
import time
import uuid
import warnings
from pathlib import Path

import pytest
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream

from tests.sandbox.cluster import execution
from tests.sandbox.cluster_for_tests import PROD, StandIn, hang_up, why_no_kubectl

needs_kubectl = pytest.mark.skipif(bool(why_no_kubectl()), reason=why_no_kubectl())


@pytest.fixture(scope="module")
def api_pod(stand_in: StandIn) -> str:
    return stand_in.pod_name("api")


def preloaded(stand_in: StandIn, pod: str, *command: str) -> str:
    """What the client's default makes of an exec; it leaves its socket to the garbage collector."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        text: str = stream(
            stand_in.core().connect_get_namespaced_pod_exec, pod, PROD, command=list(command), stderr=True,
            stdin=False, stdout=True, tty=False,
        )  # fmt: skip
        gc.collect()
    return text


def refusal(stand_in: StandIn, pod: str, *command: str, **more) -> ApiException:
    """The ApiException of an exec that was refused. Client 36 stumbles over its empty body on the way out."""
    with pytest.raises((ApiException, AttributeError)) as refused:
        stand_in.exec(pod, *command, **more)
    error = refused.value if isinstance(refused.value, ApiException) else refused.value.__context__
    assert isinstance(error, ApiException)
    return error


def test_exit_code_and_both_streams(stand_in: StandIn, api_pod: str):
    assert stand_in.run(api_pod, "sh", "-c", "echo out; echo err >&2; exit 3") == (3, "out\n", "err\n")


def test_preload_drops_the_exit_code(stand_in: StandIn, api_pod: str):
    assert preloaded(stand_in, api_pod, "sh", "-c", "echo fine; exit 3") == "fine\n"


def test_a_missing_binary_has_no_exit_code(stand_in: StandIn, api_pod: str):
    done = stand_in.exec(api_pod, "no-such-program")
    with pytest.raises(ValueError, match=r"failed to exec in container"):
        _ = done.returncode


def test_preload_returns_nothing_for_a_missing_binary(stand_in: StandIn, api_pod: str):
    assert preloaded(stand_in, api_pod, "no-such-program") == ""


def test_a_command_is_never_read_by_a_shell(stand_in: StandIn, api_pod: str):
    assert stand_in.run(api_pod, "echo", "$HOME; `id` | cat", "*") == (0, "$HOME; `id` | cat *\n", "")


@pytest.mark.parametrize("text", ["1000", '{"a": 1}', "[1, 2]", "null"])
def test_output_that_parses_as_json_stays_as_it_is(stand_in: StandIn, api_pod: str, text: str):
    assert stand_in.run(api_pod, "echo", text) == (0, text + "\n", "")


def test_huge_output_arrives_whole(stand_in: StandIn, api_pod: str):
    code, out, _ = stand_in.run(api_pod, "seq", "1500000")
    assert (code, len(out), out[-8:]) == (0, 10_888_896, "1500000\n")


def test_commands_run_side_by_side(stand_in: StandIn, api_pod: str):
    """Each waits until the other has begun."""
    meet = "touch /tmp/met-$1; for _ in $(seq 300); do [ -e /tmp/met-$2 ] && exec echo met; sleep 0.1; done"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        results = list(
            pool.map(lambda pair: stand_in.run(api_pod, "sh", "-c", meet, "sh", *pair), ["ab", "ba"])
        )
    assert results == [(0, "met\n", "")] * 2


@pytest.mark.parametrize(
    ("pod", "container", "said"),
    [
        ("no-such-pod", "api", "Handshake status 404"),
        ("", "no-such-container", "Handshake status 400"),
    ],
)
def test_a_refused_handshake_has_status_0(stand_in, api_pod, pod, container, said):
    refused = refusal(stand_in, pod or api_pod, "true", container=container)
    assert refused.status == 0
    assert said in refused.reason


def test_a_reader_may_not_exec_although_it_may_create_execs(stand_in: StandIn, api_pod: str):
    """Exec over WebSocket is a GET and needs that verb on pods/exec."""
    assert "Handshake status 403" in refusal(stand_in, api_pod, "true", context="reader").reason


def test_a_completed_pod_runs_nothing(stand_in: StandIn):
    """Over v5 the refusal comes on the error channel; preload makes an empty text of it."""
    pod = stand_in.pod_name("docrag-migrate")
    with pytest.raises(ValueError, match="container not found"):
        _ = stand_in.exec(pod, "true").returncode
    assert preloaded(stand_in, pod, "true") == ""


def test_an_unscheduled_pod_has_no_host(stand_in: StandIn, trouble):
    with trouble("unschedulable"):
        pods = [stand_in.pod("nginx", ordinal) for ordinal in (0, 1)]
        pending = next(pod for pod in pods if "nodeName" not in pod["spec"])
        assert "Handshake status 400" in refusal(stand_in, pending["metadata"]["name"], "true").reason


def test_files_stay_inside_their_pod(stand_in: StandIn):
    mark = f"mark-{uuid.uuid4().hex}"
    first, second = stand_in.pod_name("api", 0), stand_in.pod_name("api", 1)
    assert stand_in.run(first, "touch", f"/tmp/{mark}")[0] == 0
    assert not (Path("/tmp") / mark).exists()
    assert stand_in.run(second, "ls", f"/tmp/{mark}")[0] == 2
    assert (stand_in.folder(first) / "rootfs" / "tmp" / mark).exists()


def test_deleting_everything_in_a_pod_spares_the_machine(stand_in: StandIn):
    """The guide's own `find /var/log … -delete`, at its worst."""
    pod = stand_in.pod_name("fluentd")
    inside = stand_in.folder(pod) / "rootfs" / "var" / "log"
    (inside / "old.log").write_text("x")
    assert stand_in.run(pod, "ls", "/var/log") == (0, "old.log\n", "")  # nothing is deleted before this holds
    machine = {path.name for path in Path("/var/log").iterdir()}
    code, _, _ = stand_in.run(pod, "find", "/var/log", "-mindepth", "1", "-delete")
    assert (code, list(inside.iterdir())) == (0, [])
    assert machine <= {path.name for path in Path("/var/log").iterdir()}


@pytest.mark.parametrize(
    "command",
    [
        ["touch", "/usr/bin/x"],
        ["touch", "/etc/passwd"],
        ["touch", "/x"],
        ["sh", "-c", "cat /proc/sys/kernel/printk > /proc/sys/kernel/printk"],
        ["cat", "/etc/shadow"],
        ["mount", "-t", "tmpfs", "none", "/tmp"],
        ["chroot", "/", "true"],
    ],
    ids=" ".join,
)
def test_the_machine_is_out_of_reach(stand_in: StandIn, api_pod: str, command: list[str]):
    """None of these would do harm where it succeeded: the setting is written back as it is."""
    assert stand_in.run(api_pod, *command)[0] != 0


def test_the_machines_processes_are_not_seen(stand_in: StandIn, api_pod: str):
    code, out, _ = stand_in.run(api_pod, "sh", "-c", "ls -d /proc/[0-9]* | wc -l")
    assert (code, int(out) < 6) == (0, True)


def test_a_command_ends_when_its_client_has_gone(stand_in: StandIn, api_pod: str):
    """A client that times out leaves the command running, as a kubelet does, but not for long."""
    seconds = "86399.125"
    running = stream(
        stand_in.core().connect_get_namespaced_pod_exec, api_pod, PROD, command=["sleep", seconds],
        stderr=True, stdin=False, stdout=True, tty=False, _preload_content=False,
    )  # fmt: skip
    running.run_forever(timeout=0.5)
    assert running.returncode is None
    assert any(sleeping(seconds) or time.sleep(0.1) for _ in range(300))
    hang_up(running)
    for _ in range(300):
        if not sleeping(seconds):
            return
        time.sleep(0.1)
    pytest.fail("the command was still running 30 s after its client had gone")


def test_output_of_a_command_whose_client_went_in_mid_word_is_emptied_without_a_quarrel():
    """Nobody reads one stream while the other is still being read: asyncio allows one reader."""

    class Gone:
        async def pump(self, source: asyncio.StreamReader, channel: int) -> None:
            while await source.read(100):
                raise ConnectionResetError("the client has gone")

    async def leave() -> int | None:
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            "echo word; exec >&-; sleep 0.3",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        with pytest.raises(ConnectionResetError):
            await execution._output(Gone(), process)
        await execution._emptied(process)
        return process.returncode

    assert asyncio.run(leave()) == 0


def sleeping(seconds: str) -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True, timeout=10)
    return f"sleep {seconds}" in listed.stdout


def test_programs_and_variables_of_a_workload(stand_in: StandIn):
    """The real parts put wrappers into bin/<workload> and settings into exec-env.json."""
    programs = stand_in.state / "bin" / "redis"
    programs.mkdir(parents=True)
    (programs / "redis-cli").write_text('#!/bin/sh\necho "wrapped $REDISCLI_AUTH $*"\n')
    (programs / "redis-cli").chmod(0o755)
    (stand_in.state / "exec-env.json").write_text('{"redis": {"REDISCLI_AUTH": "s3cret"}}')
    assert stand_in.run(stand_in.pod_name("redis"), "redis-cli", "ping") == (0, "wrapped s3cret ping\n", "")
    assert stand_in.run(stand_in.pod_name("nginx"), "sh", "-c", "echo $REDISCLI_AUTH")[1] == "\n"


def test_nothing_runs_without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    alone = StandIn(tmp_path / "state")
    try:
        done = None
        with pytest.raises((ApiException, ValueError), match=r"bwrap is not installed|500"):
            done = alone.exec(alone.pod_name("api"), "touch", "/tmp/x").returncode
        assert done is None
        assert not (alone.folder(alone.pod_name("api")) / "rootfs" / "tmp" / "x").exists()
    finally:
        alone.stop()


@needs_kubectl
def test_kubectl_exec_resolves_a_deployment(stand_in: StandIn):
    done = stand_in.kubectl("exec", "-n", PROD, "deployment/api", "--", "sh", "-c", "df /app/storage; exit 3")
    assert done.returncode == 3
    assert "/app/storage" in done.stdout


@needs_kubectl
def test_kubectl_exec_reads_standard_input(stand_in: StandIn):
    done = stand_in.kubectl("exec", "-i", "-n", PROD, "deployment/api", "--", "sort", stdin="b\na\n")
    assert done.stdout == "a\nb\n"


@needs_kubectl
def test_kubectl_exec_tells_of_a_missing_binary(stand_in: StandIn):
    done = stand_in.kubectl("exec", "-n", PROD, "deployment/api", "--", "no-such-program")
    assert done.returncode == 1
    assert 'exec: "no-such-program": executable file not found in $PATH: unknown' in done.stderr
