"""Keys and the slow log; their faults are in tests/checks/fixtures/cache_use."""

from docrag_ops.core.key_sample import KeyFact, KeySample
from docrag_ops.core.measurements import Measured
from docrag_ops.core.performance.keys import biggest, by_prefix


def keys(sizes: dict[str, int]) -> list[KeyFact]:
    return [KeyFact(name=name, size_bytes=size) for name, size in sizes.items()]


def test_sample_is_carried_on_to_all_keys():
    sample = KeySample(keys=keys({"a:1": 100, "a:2": 300, "b:1": 50, "c": 50}), total=40, is_whole=False)
    outcome = by_prefix(sample, limit_bytes=10_000)
    assert isinstance(outcome, Measured)
    assert {one.subject: one.value for one in outcome.measurements} == {
        "a:": 0.4,
        "b:": 0.05,
        "(no prefix)": 0.05,
    }
    assert outcome.measurements[0].evidence == "20 keys, 3.9 KiB; a sample of 4 of 40 keys"


def test_two_tokens_that_look_alike_are_one_subject():
    sizes = {f"session:6f1c2b7a9d3e4f5a6b7c8d{n}": n for n in (10, 20)}
    outcome = biggest(KeySample(keys=keys(sizes), total=2, is_whole=True))
    assert isinstance(outcome, Measured)
    assert [(one.subject, one.value) for one in outcome.measurements] == [("session:6f1c2b7a…", 20)]
