"""The text of a dump, cut as psql would cut it: statements, rows of COPY, and psql's own commands.

Source: PostgreSQL's src/fe_utils/psqlscan.l. Where this reader is not sure to see what psql would see, it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from docrag_ops.core.backups.errors import DamagedError, UnreadableError

FEW_BACKSLASHES = 16
MOST_STATEMENT_BYTES = 64 * 1024 * 1024
_HEAD = re.compile(rb"(?:\s++|--[^\n]*+\n|/\*(?:[^*]|\*(?!/))*+\*/)*+")
_TOKEN = re.compile(
    rb"""
      (?P<skip>[^A-Za-z_\x80-\xff'"$()/;\\-]++)
    | (?P<escaped>[eE]'(?:[^'\\]++|\\.|'')*+')
    | (?P<word>[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*+)
    | (?P<quoted>'[^']*+(?:''[^']*+)*+' | "[^"]*+(?:""[^"]*+)*+")
    | (?P<comment>--[^\n]*+\n)
    | (?P<block>/\*)
    | \$(?:\d++ | (?P<dollar>(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)?)\$)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<end>;)
    | (?P<meta>\\)
    | (?P<other>[-/$])
    """,
    re.VERBOSE | re.DOTALL,
)
_TAG = re.compile(rb"[A-Za-z0-9_\x80-\xff]*+")
_CONTINUED = re.compile(rb"[ \t\r\f\v]*\n\s*'")
_COPY = re.compile(rb"COPY\b", re.IGNORECASE)
_FROM_STDIN = re.compile(rb"\bFROM stdin;\Z", re.IGNORECASE)
_ROWS_END = b"\n\\.\n"


class Kind(Enum):
    """What a piece of a dump is."""

    STATEMENT = "statement"
    ROWS = "rows"
    COMMAND = "command"
    REST = "rest"


@dataclass(frozen=True)
class Piece:
    """A piece as it stands in the dump. `statement` is the text without what stands before it: blanks, comments.

    `begins_copy`: the rows that follow are this statement's.
    """

    kind: Kind
    text: bytes
    statement: bytes = b""
    begins_copy: bool = False


def pieces(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Cut a dump's text, one statement in memory at a time; rows come in pieces as large as the chunks.

    :raises DamagedError: when the text ends within a statement, a string, or a COPY.
    :raises UnreadableError: when it is no text that pg_dump writes.
    """
    return _Cutter(chunks).cut()


class _Cutter:
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._text, self._is_last = b"", False
        self._start, self._at = 0, 0  # of the piece, and how far it is read
        self._begin_statement()

    def _begin_statement(self) -> None:
        self._depth, self._blocks, self._words = 0, 0, list[bytes]()

    def cut(self) -> Iterator[Piece]:
        while True:
            token = self._next_token()
            if token is None:
                break
            if token.lastgroup == "meta":
                yield self._command()
            elif token.lastgroup == "end" and self._depth == 0 and self._blocks == 0:
                piece = self._statement()
                yield piece
                if piece.begins_copy:
                    yield from self._rows()
        rest = self._text[self._start :]
        if _HEAD.fullmatch(rest if rest.endswith(b"\n") else rest + b"\n") is None:
            raise DamagedError(f"the dump ends within a statement: {_begin_of(rest)}")
        yield Piece(Kind.REST, rest)

    def _next_token(self) -> re.Match[bytes] | None:
        """The next token that is certainly whole; None at the end of the dump."""
        while True:
            if self._at < len(self._text):
                token = _TOKEN.match(self._text, self._at)
                end = self._end_of(token) if token else -1
                if token and end >= 0 and (end < len(self._text) or self._is_last):
                    self._at = end
                    self._count(token)
                    return token
            if self._is_last:
                if self._at < len(self._text) and not _is_comment(self._text[self._at :]):
                    raise DamagedError(f"the dump ends within {_begin_of(self._text[self._at :])}")
                return None
            self._more()

    def _end_of(self, token: re.Match[bytes]) -> int:
        """Where a token ends; -1 when its end is not there yet."""
        if token.lastgroup == "dollar":
            closing = b"$" + token["dollar"] + b"$"
            found = self._text.find(closing, token.end())
            return found + len(closing) if found >= 0 else -1
        if token.lastgroup == "block":
            return self._end_of_block(token.end())
        if token.lastgroup == "other" and self._is_unfinished(token):
            return -1
        if (
            token.lastgroup == "word"
            and token[0] in b"eE"
            and self._text[token.end() : token.end() + 1] == b"'"
        ):
            return -1  # an E'…' string whose end is not there yet
        if token.lastgroup == "escaped" and _CONTINUED.match(self._text, token.end()):
            raise UnreadableError("an E'…' string goes on in the next line, which pg_dump never writes")
        return token.end()

    def _is_unfinished(self, token: re.Match[bytes]) -> bool:
        """A comment without its end of line, or the beginning of $tag$ at the end of what was read."""
        if token[0] != b"$":
            return self._text.startswith(b"--", token.start())
        tag = _TAG.match(self._text, token.end())
        return tag is not None and tag.end() == len(self._text) and not self._is_last

    def _end_of_block(self, at: int) -> int:
        depth = 1
        while depth:
            opens, closes = self._text.find(b"/*", at), self._text.find(b"*/", at)
            if closes < 0:
                return -1
            depth, at = (depth + 1, opens + 2) if 0 <= opens < closes else (depth - 1, closes + 2)
        return at

    def _count(self, token: re.Match[bytes]) -> None:
        """Parentheses, and BEGIN … END of functions in SQL, whose semicolons do not end the statement."""
        if token.lastgroup == "open":
            self._depth += 1
        elif token.lastgroup == "close":
            self._depth = max(0, self._depth - 1)
        elif token.lastgroup == "word":
            word = token[0].lower()
            if len(self._words) < 4:
                self._words.append(word)
            if self._depth == 0 and word in (b"begin", b"case", b"end") and self._is_function():
                if word == b"end":
                    self._blocks = max(0, self._blocks - 1)
                elif word == b"begin" or self._blocks:
                    self._blocks += 1

    def _is_function(self) -> bool:
        words = self._words[1:] if self._words[1:3] != [b"or", b"replace"] else self._words[3:]
        return self._words[:1] == [b"create"] and words[:1] in ([b"function"], [b"procedure"])

    def _statement(self) -> Piece:
        text = self._take(self._at)
        statement = text[_end_of_head(text) :]
        copies = bool(_COPY.match(statement) and _FROM_STDIN.search(statement))
        return Piece(Kind.STATEMENT, text, statement, copies)

    def _command(self) -> Piece:
        """A command of psql, with the whole rest of its line."""
        while (end := self._text.find(b"\n", self._at)) < 0 and not self._is_last:
            self._more()
        text = self._take(end + 1 if end >= 0 else len(self._text))
        return Piece(Kind.COMMAND, text, text[_end_of_head(text) :].strip())

    def _rows(self) -> Iterator[Piece]:
        """The rows of a COPY with the line that ends them; what was read of the file is passed on without a copy."""
        if self._start == len(self._text):
            self._more()
        if self._text[self._start : self._start + 1] not in (b"\n", b""):
            raise UnreadableError("something stands behind COPY … FROM stdin; on its line")
        before = b""
        while (end := _end_of_rows(before, self._text, self._start)) < 0:
            piece = self._text[self._start :] if self._start else self._text
            if piece:
                yield Piece(Kind.ROWS, piece)
                before = (before + piece[-3:])[-3:]
            self._start = self._at = 0
            self._text = next(self._chunks, None) or self._none_left()
        yield Piece(Kind.ROWS, self._take(end))

    def _none_left(self) -> bytes:
        raise DamagedError("the dump ends within the rows of a table")

    def _take(self, end: int) -> bytes:
        taken = self._text[self._start : end]
        self._start = self._at = end
        self._begin_statement()
        return taken

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            self._is_last = True
            return
        self._text = self._text[self._start :] + chunk
        self._at -= self._start
        self._start = 0
        if len(self._text) > MOST_STATEMENT_BYTES:
            raise UnreadableError(f"a statement is longer than {MOST_STATEMENT_BYTES:,} bytes")


def _end_of_rows(before: bytes, text: bytes, start: int) -> int:
    """Where the line that ends rows ends; -1 when it is not there. `before` is what stands before the start.

    A backslash is looked for first: where there are few, that is ten times as fast as looking for the whole line.
    """
    seam = before + text[start : start + 3]
    if (found := seam.find(_ROWS_END)) >= 0:
        return start + found + len(_ROWS_END) - len(before)
    at = start
    for _ in range(FEW_BACKSLASHES):
        at = text.find(b"\\", at)
        if at < 0:
            return -1
        if at > start and text.startswith(_ROWS_END, at - 1):
            return at - 1 + len(_ROWS_END)
        at += 1
    found = text.find(_ROWS_END, max(start, at - 2))
    return found + len(_ROWS_END) if found >= 0 else -1


def _end_of_head(text: bytes) -> int:
    found = _HEAD.match(text)
    return found.end() if found else 0


def _is_comment(text: bytes) -> bool:
    return _HEAD.fullmatch(text + b"\n") is not None


def _begin_of(text: bytes) -> str:
    return repr(text.strip()[:80].decode("utf-8", "replace"))
