"""Foreign text, made safe to keep and to show."""

import sys
import unicodedata

import pytest

from docrag_ops.core.texts import one_line, shortened, storable


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ('pod "a" it\'s `b`', 'pod "a" it\'s `b`'),
        ("a\nb\r\n\tc", r"a\nb\r\n\tc"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("<script>alert(1)</script> &amp;", "<script>alert(1)</script> &amp;"),
        ("a\x00b", r"a\x00b"),
        ("a\udcffb", r"a\udcffb"),
        ("abc\u202etxt.exe", r"abc\u202etxt.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("line\u2028separator", r"line\u2028separator"),
        ("$(rm -rf /); %s {x}", "$(rm -rf /); %s {x}"),
        ("Größe 漢字 🙂", "Größe 漢字 🙂"),
    ],
)
def test_hostile_text_is_shown_literally_on_one_line(hostile: str, shown: str):
    assert one_line(hostile) == shown


def test_no_character_breaks_the_line_or_the_encoding():
    every = map(chr, range(sys.maxunicode + 1))
    suspects = [one for one in every if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    shown = one_line("".join(suspects))
    assert len(suspects) > 2000
    assert shown.isascii()
    assert shown.isprintable()


def test_storable_text_has_neither_nul_nor_surrogates_and_keeps_the_rest():
    assert storable("a\x00\ud800\n\x1bz") == "a\\x00\\ud800\n\x1bz"


def test_short_text_stays_whole():
    assert shortened("ä" * 8, size_bytes=16) == "ä" * 8


@pytest.mark.parametrize("size", [40, 41, 42, 43])
def test_long_text_is_cut_to_its_size_between_characters(size: int):
    text = shortened("🙂ä" * 100, size_bytes=size)
    assert len(text.encode()) <= size
    assert text.endswith(f"({600 - size} bytes more)")
