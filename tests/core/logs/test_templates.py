"""Templates keep apart what was said, and leave out to whom and how often."""

from docrag_ops.core.logs.levels import Level
from docrag_ops.core.logs.templates import TemplateMiner, masked

WORDS = [first + second for first in "abcdefghijklmnop" for second in "qrstuvwxyz"]


def mine(messages: list[str], **options) -> list[tuple[str, int]]:
    miner = TemplateMiner(**options)
    for message in messages:
        template = miner.add(Level.ERROR, message)
        if template:
            template.count += 1
    return [(template.text, template.count) for template in miner.seen()]


def test_numbers_times_addresses_and_identifiers_are_masked():
    for variable in (
        "17",
        "3.5s",
        "10.0.0.7:5432",
        "2026-11-23T15:00:00.123Z",
        "9f86d081884c7d65",
        "123e4567-e89b-12d3-a456-426614174000",
        "0xdeadbeef",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6",
    ):
        assert masked(f"from {variable}, again") == "from <*>, again", variable


def test_messages_that_differ_in_a_word_stay_apart():
    assert mine(["database did not answer", "cache did not answer"]) == [
        ("cache did not answer", 1),
        ("database did not answer", 1),
    ]


def test_a_place_with_very_many_words_is_a_variable():
    assert mine([f"user {word} was refused" for word in WORDS]) == [("user <*> was refused", len(WORDS))]


def test_two_hundred_templates_are_two_hundred():
    messages = [f"{WORDS[i % 160]} broke {WORDS[-1 - i % 157]} at {i}" for i in range(200)]
    assert len(mine(messages * 3)) == 200


def test_memory_is_bounded_and_what_is_beyond_is_counted():
    miner = TemplateMiner(most=10)
    for word in WORDS:
        miner.add(Level.ERROR, f"{word} {word[::-1]} {word * 2}")
    assert len([one for group in miner._groups.values() for one in group]) <= 10
    assert miner.beyond > 0


def test_known_templates_are_recognised_and_others_are_new():
    miner = TemplateMiner()
    miner.know([(Level.ERROR, "user <*> was refused"), (Level.WARNING, "disk is full")])
    assert miner.add(Level.ERROR, "user anna was refused").known
    assert not miner.add(Level.ERROR, "disk is full").known  # it was a warning then
    assert miner.seen() == []


def test_the_same_messages_give_the_same_templates():
    messages = [f"user {word} opened {other}" for word in WORDS[:40] for other in WORDS[:40]]
    assert mine(messages, most=100) == mine(messages, most=100)


def test_warnings_take_no_errors_place():
    miner = TemplateMiner(most=10)
    for word in WORDS:
        miner.add(Level.WARNING, f"{word} {word[::-1]} {word * 2}")
    assert miner.add(Level.ERROR, "could not write: no space left on device")
    assert (miner.beyond > 0, miner.beyond_errors) == (True, 0)


def test_errors_beyond_are_counted_as_such():
    miner = TemplateMiner(most=2)
    for word in ("one", "two three", "four five six"):
        miner.add(Level.ERROR, word)
    assert (miner.beyond, miner.beyond_errors) == (1, 1)
