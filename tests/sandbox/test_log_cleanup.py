"""Finished rotations go, everything else stays, byte for byte: on the stand-in's pods, with the real tools."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from docrag_ops.core.changes import Plan, Step, what_changed
from docrag_ops.core.errors import ChangeError
from docrag_ops.core.logs.files import PART, parse_identities, shown_name
from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.cluster import ClusterHook
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.log_files import ELSEWHERE, OPEN_FILES, PodFiles
from docrag_ops.hooks.pod_commands import PodName
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.change_kinds.log_cleanup import Change
from tests.sandbox import log_files
from tests.sandbox.cluster_for_tests import PROD, StandIn

DAY = 86_400
WRITER = """
import sys, time
with open(sys.argv[1], "a", buffering=1) as file:
    for number in range(int(sys.argv[2])):
        file.write(f"line {number}\\n")
        print(number, flush=True)
        time.sleep(0.01)
"""


@pytest.fixture
def logs(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """/var/log of the first fluentd pod, as `up` makes it; those of the others are empty."""
    connection = {"conn_type": "kubernetes", "extra": {"kube_config_path": str(stand_in.kubeconfig)}}
    for name in ("DOCRAG_KUBERNETES", "DOCRAG_KUBERNETES_CHANGE"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(connection))
    folder = stand_in.folder(stand_in.pod_name("fluentd")) / "rootfs/var/log"
    log_files.build(folder)
    yield folder
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.fixture
def change(logs: Path) -> Callable[..., Change]:
    """The change with the environment's policy, looking twice within half a second."""

    def make(**policy: object) -> Change:
        include = IncludeFolder()
        environment = include.environment("docrag-prod")
        section = environment.changes["log_cleanup"]
        changed = {**section.policy, "second_look_seconds": 0.3, **policy}
        section = section.model_copy(update={"policy": changed})
        asking = Asking(
            environment=environment.model_copy(update={"changes": {"log_cleanup": section}}),
            include=include,
            run=RunKey(environment="docrag-prod", entry="daily_log_maintenance", run_id="test"),
            now=datetime.now(UTC),
            task_instance=None,
        )
        return Change(asking)

    return make


@pytest.fixture
def pod_files(stand_in: StandIn, logs: Path) -> PodFiles:
    return PodFiles(ClusterHook(), PodName(PROD, stand_in.pod_name("fluentd")), "fluentd")


def actions(plan: Plan) -> dict[str, str]:
    """What is done, by path below /var/log, days left out."""
    return {str(step.details["path"]).removeprefix("/var/log/"): step.action for step in plan.steps}


def rules(plan: Plan) -> dict[str, str]:
    return {subject.partition(":/var/log/")[2]: rule for subject, rule in plan.protected}


def step_for(plan: Plan, name: str) -> Step:
    return next(step for step in plan.steps if str(step.details["path"]).endswith(name))


def apply_all(change: Change, plan: Plan) -> list[str]:
    """As the flow does it: look, then apply."""
    said = []
    for step in plan.steps:
        assert what_changed(step.fingerprint, change.look(step)) == ""
        said.append(change.apply(step))
    return said


def everything(folder: Path) -> dict[str, bytes | str]:
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            found[str(path)] = os.readlink(path)
        elif path.is_file():
            found[str(path)] = path.read_bytes()
    return found


def day(days: float) -> str:
    return f"{datetime.fromtimestamp(time.time() - days * DAY, UTC):%Y%m%d}"


def test_the_plan_is_the_policys(change: Callable[..., Change]):
    assert actions(change().plan()) == {
        "doc-rag/gateway.log.2": "compress",
        "doc-rag/gateway.log.3": "compress",
        "doc-rag/gateway.log.5.gz": "delete",
        "doc-rag/gateway.log.6.gz": "delete",
        f"nginx/access.log-{day(1.2)}": "compress",
        f"nginx/error.log-{day(12)}.gz": "delete",
        f"nginx/old.log-{day(11)}": "delete",
        "odd/two words.log.1": "compress",
        "odd/new\nline.log.1": "compress",
        "odd/-rf.log.1": "compress",
        'odd/it\'s "quoted" $(true) `x`.log.1': "delete",
        "odd/日本.log.1": "delete",
    }


def test_every_other_file_is_named_with_its_rule(change: Callable[..., Change]):
    found = rules(change().plan())
    assert {name: found[name] for name in found if name.startswith(("fluentd", "audit", "inst", "pods", "con"))} == {
        "fluentd/containers.log.pos": "it is a position file",
        "fluentd/nginx.pos": "it is a position file",
        "audit/audit.log": "the policy protects this path",
        "audit/audit.log.1": "the policy protects this path",
        "installer.log.1": "it is the newest of its family",
        "installer.tar.gz": "its name is not that of a finished rotation",
        "pods/doc-rag-prod_api-0_5f1c/api/0.log": "it belongs to the kubelet",
        f"pods/doc-rag-prod_api-0_5f1c/api/0.log.{day(15)}-120000.gz": "it belongs to the kubelet",
        "containers/api-0_doc-rag-prod_api-5f1c.log": "it belongs to the kubelet",
    }  # fmt: skip
    assert found["doc-rag/gateway.log.9"] == "it is a symlink"
    assert found["doc-rag/gateway.log"] == "its name is not that of a finished rotation"
    assert found["odd/latin-\\xe9.log.1"] == "its name is not UTF-8, which an exec cannot carry exactly"


def test_applying_does_the_plan_and_nothing_else(change: Callable[..., Change], logs: Path):
    kind = change()
    before, plan = everything(logs), kind.plan()
    measured = kind.measure(plan)
    apply_all(kind, plan)
    after = everything(logs)
    named = {str(logs / name): action for name, action in actions(plan).items()}
    for path, content in before.items():
        match named.get(path):
            case None:
                assert after[path] == content, path
            case "delete":
                assert path not in after
            case "compress":
                assert path not in after
                assert gzip.decompress(after[path + ".gz"]) == content
    assert set(after) == {path + ".gz" if named.get(path) == "compress" else path for path in before
                          if named.get(path) != "delete"}  # fmt: skip
    assert kind.improved(plan, measured, kind.measure(plan)) == ""
    assert all(kind.was_done(step) for step in plan.steps)
    assert kind.plan().steps == ()


def test_an_archive_keeps_the_time_of_its_log(change: Callable[..., Change], logs: Path):
    kind = change()
    path = logs / "doc-rag/gateway.log.2"
    ended = path.stat().st_mtime_ns
    kind.apply(step_for(kind.plan(), "gateway.log.2"))
    assert path.with_name("gateway.log.2.gz").stat().st_mtime_ns == ended


def test_lines_written_through_a_rotated_name_survive_to_the_last(
    change: Callable[..., Change], logs: Path, pod_files: PodFiles
):
    """The writer lives in another PID namespace; it still holds what was rotated, and wakes while we work."""
    path, kind = logs / "doc-rag/gateway.log.3", change()
    before, plan = path.read_bytes(), kind.plan()
    step = step_for(plan, "gateway.log.3")
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "300"], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert "size was" in what_changed(step.fingerprint, kind.look(step))
        with pytest.raises(ChangeError):
            kind.apply(step)
        for planned in kind.plan().steps:
            assert "gateway.log.3" not in planned.subject
        writer.stdout.read()
    assert path.read_bytes() == before + b"".join(b"line %d\n" % number for number in range(300))
    assert not list(path.parent.glob(f"*{PART}*"))


def test_open_files_of_the_pods_processes_are_found(stand_in: StandIn, logs: Path, tmp_path: Path):
    """Each command has a PID namespace of its own in the stand-in, so the process that looks holds the file too."""
    held = (logs / "doc-rag/gateway.log.2").stat()
    look = [*OPEN_FILES, "-printf", "%D %i\\n", *ELSEWHERE]
    command = ["sh", "-c", 'exec 3<"$1"; shift; exec "$@"', "sh", "/var/log/doc-rag/gateway.log.2", *look]
    _, output, _ = stand_in.run(stand_in.pod_name("fluentd"), *command)
    assert (held.st_dev, held.st_ino) in parse_identities(output.encode())


def test_a_file_that_grows_between_the_looks_is_protected(change: Callable[..., Change], logs: Path):
    path = logs / "doc-rag/gateway.log.2"
    mtime = path.stat().st_mtime
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "1000000"], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        plan = change(second_look_seconds=1).plan()
        writer.kill()
    assert rules(plan)["doc-rag/gateway.log.2"] == "it changed between two looks"
    assert mtime < path.stat().st_mtime


def test_a_replaced_file_is_not_the_planned_one(change: Callable[..., Change], logs: Path):
    kind = change()
    plan = kind.plan()
    path = logs / "doc-rag/gateway.log.5.gz"
    content = path.read_bytes()
    path.rename(path.with_name("moved.gz"))
    path.write_bytes(content)
    step = step_for(plan, "gateway.log.5.gz")
    assert "inode was" in what_changed(step.fingerprint, kind.look(step))
    with pytest.raises(ChangeError, match="not the file that was planned any more"):
        kind.apply(step)
    assert path.read_bytes() == content


def test_a_symlink_in_the_files_place_is_not_followed(change: Callable[..., Change], logs: Path):
    kind = change()
    step = step_for(kind.plan(), "gateway.log.5.gz")
    path = logs / "doc-rag/gateway.log.5.gz"
    path.rename(logs / "elsewhere.gz")
    path.symlink_to("../elsewhere.gz")
    with pytest.raises(ChangeError):
        kind.apply(step)
    assert (logs / "elsewhere.gz").exists()


def test_an_archive_that_is_not_of_this_file_is_never_overwritten(change: Callable[..., Change], logs: Path):
    other = logs / "doc-rag/gateway.log.2.gz"
    other.write_bytes(gzip.compress(b"last month's lines\n"))
    kind = change()
    content = (logs / "doc-rag/gateway.log.2").read_bytes()
    with pytest.raises(ChangeError, match="cmp"):
        kind.apply(step_for(kind.plan(), "gateway.log.2"))
    assert gzip.decompress(other.read_bytes()) == b"last month's lines\n"
    assert (logs / "doc-rag/gateway.log.2").read_bytes() == content
    assert not list(other.parent.glob(f"*{PART}*"))


def test_a_compression_killed_half_way_is_begun_anew(change: Callable[..., Change], logs: Path):
    """What a kill leaves: a second name of the original, and half an archive under a name of ours."""
    path = logs / "doc-rag/gateway.log.2"
    content = path.read_bytes()
    part = path.with_name(path.name + PART)
    os.link(path, part)
    part.with_name(part.name + ".gz").write_bytes(gzip.compress(content)[:500])
    kind = change()
    plan = kind.plan()
    assert not kind.was_done(step_for(plan, "gateway.log.2"))
    assert actions(plan)[f"doc-rag/gateway.log.2{PART}"] == "delete"
    apply_all(kind, plan)
    assert gzip.decompress(path.with_name("gateway.log.2.gz").read_bytes()) == content
    assert not list(path.parent.glob(f"*{PART}*"))


def test_a_compression_killed_before_its_last_step_is_finished(
    change: Callable[..., Change], logs: Path, pod_files: PodFiles
):
    path = logs / "doc-rag/gateway.log.2"
    content, ended = path.read_bytes(), path.stat()
    kind = change()
    kind.apply(step_for(kind.plan(), "gateway.log.2"))
    path.write_bytes(content)
    os.utime(path, ns=(ended.st_atime_ns, ended.st_mtime_ns))
    apply_all(kind, kind.plan())
    assert gzip.decompress(path.with_name("gateway.log.2.gz").read_bytes()) == content
    assert not path.exists()


def test_a_compression_killed_before_its_second_name_went_is_tidied_up(
    change: Callable[..., Change], logs: Path
):
    path = logs / "doc-rag/gateway.log.2"
    part = path.with_name(path.name + PART)
    os.link(path, part)
    kind = change()
    plan = kind.plan()
    kind.apply(step_for(plan, "gateway.log.2"))
    content = gzip.decompress(path.with_name("gateway.log.2.gz").read_bytes())
    ended = path.with_name("gateway.log.2.gz").stat()
    part.write_bytes(content)
    os.utime(part, ns=(ended.st_atime_ns, ended.st_mtime_ns))
    assert kind.was_done(step_for(plan, "gateway.log.2"))
    later = kind.plan()
    assert actions(later)[f"doc-rag/gateway.log.2{PART}"] == "delete"
    apply_all(kind, later)
    assert not part.exists()


def test_a_line_written_between_archive_and_removal_is_not_lost(
    change: Callable[..., Change], logs: Path, monkeypatch: pytest.MonkeyPatch
):
    """A writer that holds the file since before its rotation, and wakes at the worst moment."""
    path = logs / "doc-rag/gateway.log.2"
    content, kind = path.read_bytes(), change()
    step = step_for(kind.plan(), "gateway.log.2")
    run = PodFiles._run

    with path.open("ab", buffering=0) as writer:

        def wakes(files: PodFiles, command: list[str], **options: float):
            done = run(files, command, **options)
            if "ln" in command and "rm" in command:  # the archive has its name, and the file has lost its own
                writer.write(b"the last line\n")
            return done

        monkeypatch.setattr(PodFiles, "_run", wakes)
        with pytest.raises(ChangeError):
            kind.apply(step)
    assert path.read_bytes() == content + b"the last line\n"
    assert not path.with_name("gateway.log.2.gz").exists()
    assert not list(path.parent.glob(f"*{PART}*"))


def test_an_altered_step_does_not_reach_another_file(change: Callable[..., Change], logs: Path):
    kind = change()
    step = step_for(kind.plan(), "gateway.log.5.gz")
    stolen = replace(step, details={"path": "/var/log/doc-rag/gateway.log"})
    with pytest.raises(ChangeError):
        kind.apply(stolen)
    assert (logs / "doc-rag/gateway.log").exists()


def test_busyboxs_tools_list_the_same(
    stand_in: StandIn, pod_files: PodFiles, monkeypatch: pytest.MonkeyPatch
):
    if shutil.which("busybox") is None:
        pytest.skip("busybox is not installed")
    gnu = pod_files.list(["/var/log"])
    opened, _ = pod_files.open_files()
    programs = stand_in.state / "bin/fluentd"
    programs.mkdir(parents=True, exist_ok=True)
    try:
        for name in ("find", "stat", "gzip", "touch", "ln", "rm", "cmp", "tail"):
            (programs / name).symlink_to("/bin/busybox")
        assert pod_files.list(["/var/log"]) == gnu
        assert isinstance(opened, frozenset)
        assert isinstance(pod_files.open_files()[0], frozenset)
    finally:
        shutil.rmtree(programs)


def test_busyboxs_tools_delete_and_compress_the_same(
    stand_in: StandIn, change: Callable[..., Change], logs: Path
):
    if shutil.which("busybox") is None:
        pytest.skip("busybox is not installed")
    programs = stand_in.state / "bin/fluentd"
    programs.mkdir(parents=True, exist_ok=True)
    try:
        for name in ("find", "stat", "gzip", "touch", "ln", "rm", "cmp", "tail"):
            (programs / name).symlink_to("/bin/busybox")
        test_applying_does_the_plan_and_nothing_else(change, logs)
    finally:
        shutil.rmtree(programs)


def test_names_are_shown_on_one_line(change: Callable[..., Change]):
    assert shown_name("/var/log/odd/new\nline.log") == "/var/log/odd/new\\nline.log"
    assert all("\n" not in step.subject for step in change().plan().steps)
