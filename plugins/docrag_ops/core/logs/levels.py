"""The level of a log line, from its structure and never from words in its message.

`error=nil`, `0 errors` and a message about an ERROR are no errors. Recognised: JSON (`"level":"error"`, nested as
ECS has it, numbers as pino has them), logfmt (`level=error`), klog (`E1123 …`), and plain lines whose level stands
before the message: `2026-11-23T12:00:00Z ERROR …` (Rust tracing, Log4j, Python), `… [error] …` (nginx, fluentd),
`error: …`, `… - ERROR - …`, structlog's `[error    ]`, Celery's `[… ERROR/MainProcess]`, Ruby's `E, […]  ERROR --`.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How bad a line says it is. NONE: it says nothing. CONTINUED: it belongs to the line before it."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"
    TRACE = "trace"
    NONE = "none"
    CONTINUED = "continued"

    @property
    def is_error(self) -> bool:
        """Error or worse."""
        return self in (Level.ERROR, Level.FATAL)

    @property
    def is_mined(self) -> bool:
        """Whether such lines are kept as templates."""
        return self.is_error or self is Level.WARNING


WORDS: dict[Level, tuple[str, ...]] = {
    Level.FATAL: ("fatal", "critical", "crit", "panic", "dpanic", "emerg", "emergency", "alert"),
    Level.ERROR: ("error", "err", "erro", "eror", "severe", "fail"),
    Level.WARNING: ("warning", "warn", "wrn"),
    Level.INFO: ("info", "information", "informational", "inf", "notice", "log"),
    Level.DEBUG: ("debug", "dbg", "dbug", "verbose", "fine"),
    Level.TRACE: ("trace", "trc", "trce", "finest"),
}
LEVELS: dict[bytes, Level] = {word.encode(): level for level, words in WORDS.items() for word in words}
# pino's and bunyan's numbers.
LEVELS |= {
    str(10 * (number + 1)).encode(): level
    for number, level in enumerate(
        (Level.TRACE, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.FATAL)
    )
}
KLOG = {b"I": Level.INFO, b"W": Level.WARNING, b"E": Level.ERROR, b"F": Level.FATAL}
KEYS = (
    *("level", "severity", "lvl", "log.level", "levelname", "loglevel", "log_level", "Level", "@l"),
    *("LogLevel", "Severity", "severity_text", "severityText", "SeverityText", "LEVEL"),
)

_word = "|".join(
    sorted((word for words in WORDS.values() for word in words if word != "log"), key=len, reverse=True)
)
# Most lines of a healthy log are of these shapes, one like the next: runs of them are counted at once.
# Whatever is not plainly `info` here is left to `level_of`, which says the same of these.
INFO_RUN = re.compile(
    rb"""
    (?: ^ \d{4}- [\d:.TZ+-]++ [ ]
        (?: \{ (?: [^{}"\n]*+ " (?! (?:%(keys)s)" ) )*? level" : [ ]?+ "(?:info|INFO)"
          | \[?+ \d %(times)s (?: [ ] %(times)s )?+ \]?+ [ ]{1,2} \[?+ INFO [ \]]
          | (?:ts|time|t)= (?: "[^"\n]*+" | [^\s"]*+ ) [ ] level=info [ ]
        )
        [^\n]*+ \n
    )++
    """
    % {
        b"keys": b"|".join(re.escape(key.encode()) for key in KEYS if key != "level"),
        b"times": rb"[\d:.,TZ+/-]*+",
    },
    re.VERBOSE | re.MULTILINE,
)
_JSON_LEVEL = re.compile(rb'"(?:%s)"\s*:\s*(?:"([A-Za-z]+)"|(\d+))' % "|".join(map(re.escape, KEYS)).encode())
_LOGFMT_LEVEL = re.compile(
    rb'(?:[\w.@/-]+=(?:"(?:[^"\\]|\\.)*+"|[^\s"]*+)\s++)*?(?:level|lvl|severity|loglevel)="?([A-Za-z]+)"?(?=\s|$)'
)
PLAIN_LEVEL = re.compile(
    rb"""
    (?: (?:\x1b\[[\d;]*m)+ | \s )*+
    (?: (?: \[ %(time)s (?= \s++ (?:%(WORD)s) [/\s\]] )       # [2026-11-23 12:00:00,123: ERROR/MainProcess]
          | \[ (?! (?:\x1b\[[\d;]*m)*+ (?i:%(word)s) \s*+ (?:\x1b\[[\d;]*m)*+ \] | %(time)s \s++ (?:%(WORD)s) [/\s\]] )
            [^\]]{0,80} \]:?                                # [anything] but a level
          | [DIWEFA],                                       # Ruby's E, [time #pid] ERROR -- :
          | %(time)s (?<= :\d\d[.,]\d\d\d ) \s++ (?: \[ [^\]]{0,80} \] \s++ )?+ [A-Za-z_][\w.:-]*+
            (?= \s++ (?:%(WORD)s)\b )                       # Python's time, [thread], name, level
          | %(time)s \s*+ \| (?= \s*+ (?:%(WORD)s) \s*+ \| )   # time|level|
          | [\w.-]+ @ [\w.-]+ (?= \s++ (?:%(WORD)s): )      # PostgreSQL's user@database
          | [(<]?[+-]?\d[\w:.,+/-]*[)>]?[,:]?               # times, dates, zones, numbers, process ids
          | [A-Z][a-z]{2} (?=[ ,])                          # Nov, Mon
          | UTC | GMT | CES?T | AM | PM
          | -(?: \s+(?! (?:%(WORD)s)\b ) [\w.:-]+ \s+-)?    # - or - name -
          | [\w.-]+\[\d+\]:                                 # program[pid]:
          | \#\d+ | \| | \*\d*
        ) (?: (?: \s | \x1b\[[\d;]*m )++ | (?<= \] ) (?= \[ ) | (?<= \| ) )
    )*+
    (?: (?:\x1b\[[\d;]*m)*+
        (?: [\[<(]? (%(WORD)s|LOG(?=:)) (?= [\s\])>|:,/] | $ | \x1b | \[\d )
          | [\[<] (?:\x1b\[[\d;]*m)*+ ((?i:%(word)s)) \s*+ (?:\x1b\[[\d;]*m)*+ [\]>]
          | ((?i:%(word)s)) : (?! \s* (?:nil|none|null|false|0)\b )
          | (%(word)s) \t
        )
    )
    """
    % {
        b"word": _word.encode(),
        b"WORD": _word.upper().encode(),
        b"time": rb"\d{4}-\d\d-\d\d [T\s] \d\d:[\d:.,+Z-]++",
    },
    re.VERBOSE,
)
_DOUBTFUL = re.compile(rb"(?: \S*+ \s++ ){0,5}? [\[(<|:]{0,2} (?:ERROR|CRITICAL|FATAL) (?![\w/])", re.VERBOSE)
"""A word that is a level somewhere at the beginning of a line whose level was not found."""
_KLOG_LEVEL = re.compile(rb"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s")
_CRASH = re.compile(
    rb"panic: |fatal error: |thread '[^']*' (?:\(\d+\) )?panicked at |Exception in thread |"
    rb"Traceback \(most recent call last\):|Unhandled [Ee]xception|Uncaught "
)


def level_of(text: bytes) -> Level:
    r"""The level that a line says it has.

    >>> [str(level_of(line)) for line in (b'{"level":"error"}', b'ts=1 level=warn msg="error=nil"', b"0 errors")]
    ['error', 'warning', 'none']
    """
    if text[:1] == b"{":
        return _json_level(text)
    if found := PLAIN_LEVEL.match(text):
        return LEVELS.get(found[found.lastindex or 0].lower(), Level.INFO)
    if found := _LOGFMT_LEVEL.match(text):
        return LEVELS.get(found[1].lower(), Level.NONE)
    if found := _KLOG_LEVEL.match(text):
        return KLOG[found[1]]
    return Level.ERROR if _CRASH.match(text) else Level.NONE


def is_doubtful(text: bytes) -> bool:
    r"""Whether a line without a level may have one in a form that is not known.

    >>> [is_doubtful(line) for line in (b"12:00:00 app ERROR no answer", b"GET /ERROR 200", b"0 errors")]
    [True, False, False]
    """
    return bool(_DOUBTFUL.match(text))


def _json_level(text: bytes) -> Level:
    """By the first level key when it cannot be inside another object, else by parsing the line.

    A line that is cut off cannot be parsed; the first level key is then the best there is.
    """
    found = _JSON_LEVEL.search(text)
    if found is None and text.startswith(b'{"@t":'):
        return Level.INFO  # Serilog's compact form leaves out the level of information
    if found is None:
        return _parsed_level(text, Level.NONE) if b'"log"' in text or b'"record"' in text else Level.NONE
    level = LEVELS.get((found[1] or found[2]).lower(), Level.NONE)
    return level if text.find(b"{", 1, found.start()) < 0 else _parsed_level(text, level)


def _parsed_level(text: bytes, otherwise: Level) -> Level:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return otherwise
    value = next((data[key] for key in KEYS if key in data), None)
    if value is None:
        value = _level_within(data, "log", "level") or _level_within(data, "record", "level", "name")
    return Level.NONE if value is None else LEVELS.get(_word_of(value), Level.NONE)


def _level_within(data: Any, *path: str) -> Any:
    """A level further down: ECS' log.level, loguru's record.level.name."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _word_of(value: Any) -> bytes:
    return str(value).lower().encode("utf-8", "backslashreplace")
