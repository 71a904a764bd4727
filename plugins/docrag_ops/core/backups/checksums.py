"""Checksums that are kept beside backups, as sha256sum, `openssl dgst` and BSD's tools write them."""

from __future__ import annotations

import re


def kept_checksum(text: str, base: str, *, digits: int, names_it: bool) -> str:
    """The checksum of a file in lower case; nothing when there is none.

    :param base: the file's name without its folder
    :param digits: how many hexadecimal digits it has
    :param names_it: whether only a line counts that names the file, as in a list of many

    >>> kept_checksum("SHA1 (a b.dump) = 0A", "a b.dump", digits=2, names_it=True)
    '0a'
    """
    digest = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Fa-f]{{{digits}}}(?![0-9A-Za-z])")
    lines = [line for line in text.replace("\r", "").splitlines() if digest.search(_without(line, base))]
    named = [line for line in lines if _names(line, base)]
    for line in named or ([] if names_it else lines):
        found = digest.search(_without(line, base))
        if found:
            return found[0].lower()
    return ""


def _names(line: str, base: str) -> bool:
    return re.search(rf"(?:^|[\s/*(]){re.escape(base)}(?:$|[\s)])", line) is not None


def _without(line: str, base: str) -> str:
    return line.replace(base, " ")
