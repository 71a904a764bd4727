"""Names of finished rotations, and the family that a rotation belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ARCHIVE = r"(?P<archive>\.(?:gz|bz2|xz|zst|lz4|Z))?"
_MARK = r"""(?P<mark>
      \.\d{1,3}                                                       # app.log.1
    | [._-]\d{8} (?: [-_.T]? \d{2,6} )?                               # app.log-20261101, app.log.20261101-03
    | [._-]\d{10}                                                     # app.log-1793491200
    | [._-]\d{4}-\d\d-\d\d (?: [T_.-] \d\d (?: [-:.]?\d\d ){0,2} )?   # app.log.2026-11-01
    | \.old
    )?"""
_NAME = re.compile(rf"(?P<base>.+?){_MARK}{_ARCHIVE}", re.VERBOSE | re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{8}")
_NO_LOG = re.compile(r"\.(?:tar|sql|dump|db|img|iso|csv|pcap|core|bak)$", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """What a file's name says: which log it is of, whether it is a finished rotation, whether it is compressed."""

    family: str
    is_rotation: bool
    is_archive: bool


def name_of(name: str) -> Name:
    """Read a file's name.

    >>> name_of("app.log.2.gz")
    Name(family='app.log', is_rotation=True, is_archive=True)
    >>> name_of("app.log")
    Name(family='app.log', is_rotation=False, is_archive=False)
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return Name(name, is_rotation=False, is_archive=False)
    base, mark, archive = found["base"], found["mark"], found["archive"]
    rotated = bool(mark) or (bool(archive) and not _NO_LOG.search(base))
    return Name(_DATE.sub("#", base), is_rotation=rotated, is_archive=bool(archive))
