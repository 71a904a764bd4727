"""Foreign text made safe to keep and to show: names and values of other systems are data."""

from __future__ import annotations

import unicodedata


def storable(text: str) -> str:
    r"""Text that JSON, PostgreSQL and a terminal can hold: NUL and lone surrogates become visible escapes.

    >>> storable("a\x00b\udcff")
    'a\\x00b\\udcff'
    """
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(text: str) -> str:
    r"""The text on one line, with control and bidirectional-override characters shown as escapes.

    >>> one_line("line\nbreak \x1b[31mred")
    'line\\nbreak \\x1b[31mred'
    """
    return "".join(_visible(character) for character in storable(text))


def _visible(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp"):
        return character.encode("unicode_escape").decode("ascii")
    return character


def shortened(text: str, *, size_bytes: int) -> str:
    """The text cut to a size in UTF-8, with a count of what is missing."""
    encoded = text.encode("utf-8")
    if len(encoded) <= size_bytes:
        return text
    note = f" … ({len(encoded) - size_bytes:,} bytes more)"
    kept = encoded[: max(0, size_bytes - len(note.encode("utf-8")))]
    return kept.decode("utf-8", "ignore") + note
