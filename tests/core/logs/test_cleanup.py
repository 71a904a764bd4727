"""Each rule protects by itself; what none protects goes by its age."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from docrag_ops.core.logs.cleanup import Action, CleanupPolicy, Decision, Looks, decide
from docrag_ops.core.logs.cleanup_plan import not_smaller, numbers, plan_of
from docrag_ops.core.logs.files import Kind, LogFile

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POLICY = CleanupPolicy(
    workload="fluentd", container="fluentd", roots=("/var/log",), protected=("/var/log/audit", "*/keep.*")
)
_inodes = iter(range(1, 10_000))


def file(path: str, days: float = 3, **more: object) -> LogFile:
    ended = NOW - timedelta(days=days)
    plain = LogFile(
        path=path,
        kind=Kind.FILE,
        device=1,
        inode=next(_inodes),
        links=1,
        size_bytes=100_000,
        used_bytes=102_400,
        mtime_ns=int(ended.timestamp() * 10**9),
    )
    return replace(plain, **more)


def judged(*files: LogFile, first: tuple[LogFile, ...] | None = None, **more: object) -> dict[str, Decision]:
    looks = Looks(
        **{"first": files if first is None else first, "second": files, "open_files": set(), **more}
    )
    return {one.file.path: one for one in decide(looks, POLICY, now=NOW)}


def of_rotation(days: float = 3, **more: object) -> Decision:
    """The decision about a finished rotation beside its active log."""
    rotation = file("/var/log/app.log.2", days, **more)
    return judged(file("/var/log/app.log", 0), rotation)["/var/log/app.log.2"]


@pytest.mark.parametrize(
    ("days", "action"), [(0.5, None), (1.1, Action.COMPRESS), (6.9, Action.COMPRESS), (7.1, Action.DELETE)]
)
def test_age_decides(days: float, action: Action | None):
    assert of_rotation(days).action == action


@pytest.mark.parametrize(("days", "action"), [(6.9, None), (7.1, Action.DELETE)])
def test_an_archive_is_never_compressed_again(days: float, action: Action | None):
    archive = file("/var/log/app.log.3.gz", days)
    assert judged(file("/var/log/app.log", 0), archive)[archive.path] == Decision(archive, action)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/var/log/app.log", "its name is not that of a finished rotation"),
        ("/var/log/app.pos", "it is a position file"),
        ("/var/log/app.pos.1", "it is a position file"),
        ("/var/log/app.log.pos", "it is a position file"),
        ("/var/log/pods/a/0.log.1", "it belongs to the kubelet"),
        ("/var/log/containers/a.log.1", "it belongs to the kubelet"),
        ("/var/log/audit/audit.log.1", "the policy protects this path"),
        ("/var/log/x/keep.log.1", "the policy protects this path"),
        ("/var/logs/app.log.1", "it is outside the policy's roots"),
        ("/etc/app.log.1", "it is outside the policy's roots"),
        ("/var/log/../app.log.1", "it is outside the policy's roots"),
        ("/var/log/\udcff.log.1", "its name is not UTF-8, which an exec cannot carry exactly"),
        ("/var/log/{}.log.1", "its name holds {}, which find replaces in commands"),
        ("/var/log/x.log.1.docrag-part", "it is what a compression left, and its original is not there"),
    ],
)
def test_a_path_that_is_protected(path: str, rule: str):
    newer = file(path.removesuffix(".1"), 0) if path.endswith(".1") else file("/var/log/other", 0)
    assert judged(newer, file(path))[path].rule == rule


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"kind": Kind.SYMLINK}, "it is a symlink"),
        ({"kind": Kind.OTHER}, "it is no regular file"),
        ({"links": 2}, "it has another name (a hard link)"),
        ({"mtime_ns": int((NOW.timestamp() + 60) * 10**9)}, "its time is in the future"),
    ],
)
def test_a_file_that_is_protected(more: dict[str, object], rule: str):
    assert of_rotation(**more).rule == rule


def test_an_open_file_is_protected():
    rotation = file("/var/log/app.log.2")
    found = judged(file("/var/log/app.log", 0), rotation, open_files={rotation.identity})
    assert found[rotation.path].rule == "a process of the pod has it open"


@pytest.mark.parametrize("change", [{"size_bytes": 1}, {"mtime_ns": 1}, {"inode": 99_999}])
def test_a_file_that_does_not_keep_still_is_protected(change: dict[str, int]):
    rotation, active = file("/var/log/app.log.2"), file("/var/log/app.log", 0)
    found = judged(active, rotation, first=(active, replace(rotation, **change)))
    assert found[rotation.path].rule == "it changed between two looks"


def test_a_file_that_was_not_there_at_the_first_look_is_protected():
    rotation, active = file("/var/log/app.log.2"), file("/var/log/app.log", 0)
    assert (
        judged(active, rotation, first=(active,))[rotation.path].rule == "it was not there at the first look"
    )


def test_the_newest_of_a_family_is_protected_where_its_writer_may_still_be():
    one, two = file("/var/log/app.log.1", 9), file("/var/log/app.log.2", 10)
    found = judged(one, two)
    assert found[one.path].rule == "it is the newest of its family"
    assert found[two.path].action is Action.DELETE


def test_files_of_one_time_are_all_the_newest():
    one, two = file("/var/log/app.log.1", 9), file("/var/log/app.log.2", 9)
    assert {decision.rule for decision in judged(one, two).values()} == {"it is the newest of its family"}


def test_a_family_lives_in_one_folder():
    rotation = file("/var/log/a/app.log.1", 9)
    assert (
        judged(file("/var/log/b/app.log", 0), rotation)[rotation.path].rule
        == "it is the newest of its family"
    )


def test_without_gzip_nothing_is_compressed():
    rotation = file("/var/log/app.log.2")
    found = judged(file("/var/log/app.log", 0), rotation, can_compress=False)
    assert found[rotation.path].rule == "the pod has no gzip"


def test_a_small_file_is_not_worth_compressing():
    small = of_rotation(size_bytes=4095)
    assert (small.action, small.rule) == (None, "")


@pytest.mark.parametrize("roots", [(), ("/",), ("var/log",), ("/var/log/",), ("/var/../etc",)])
def test_a_policy_has_plain_roots(roots: tuple[str, ...]):
    with pytest.raises(ValidationError):
        CleanupPolicy(workload="fluentd", container="fluentd", roots=roots)


def test_the_plan_says_how_much_and_whom():
    files = (file("/var/log/app.log", 0), file("/var/log/app.log.2", 3), file("/var/log/app.log.3", 9))
    plan = plan_of(
        "docrag-prod", POLICY, {"ns/pod-1": list(judged(*files).values())}, [("ns/pod-2", "unknown: x")]
    )
    assert [(step.action, step.subject) for step in plan.steps] == [
        ("delete", "ns/pod-1:/var/log/app.log.3"),
        ("compress", "ns/pod-1:/var/log/app.log.2"),
    ]
    assert plan.amounts == {"files": 2, "bytes": 200_000, "share": round(200_000 / 307_200, 4)}
    assert plan.protected == (
        ("ns/pod-2", "unknown: x"),
        ("ns/pod-1:/var/log/app.log", "its name is not that of a finished rotation"),
    )


def test_the_proof_counts_the_planned_files_and_their_archives_only():
    active, rotation = file("/var/log/app.log", 0), file("/var/log/app.log.2", 3)
    plan = plan_of("docrag-prod", POLICY, {"ns/pod": list(judged(active, rotation).values())}, [])
    before = numbers(plan, {"ns/pod": [active, rotation]})
    archive = file("/var/log/app.log.2.gz", size_bytes=20_000)
    grown = replace(active, size_bytes=10**9)
    assert not_smaller(plan, before, numbers(plan, {"ns/pod": [grown, archive]})) == ""
    assert (
        not_smaller(plan, before, numbers(plan, {"ns/pod": [active, rotation]}))
        == "no space was freed in ns/pod"
    )
