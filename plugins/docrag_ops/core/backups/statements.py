"""Which statements of a dump are run when it is restored: a list of what pg_dump writes, and nothing else.

A restore is done by a role that owns nothing but the scratch database, so that owners and rights are left out, and
what would reach other systems: publications, subscriptions, foreign servers, event triggers. A foreign table becomes an
empty one, as views may need it. What concerns other databases or the server is never run; neither is what is not on
the list.
"""

from __future__ import annotations

import re
from enum import Enum

from docrag_ops.core.backups.sql_text import Kind, Piece


class Fate(Enum):
    """What becomes of a statement."""

    RUN = "run"
    LEAVE_OUT = "left out: the scratch database has its own, or it reaches other systems"
    LEAVES = "left out, and said: it is about the database itself"
    REFUSE = "not run: no dump of a single database has it"


_NAME = r'(?:"(?:[^"]|"")+"|[a-z_\x80-\uffff][\w$]*)'
_QUALIFIED = rf"{_NAME}(?:\.{_NAME})?"
_OBJECT = (
    r"(?:(?:UNLOGGED |FOREIGN )?TABLE|SEQUENCE|(?:MATERIALIZED )?VIEW|INDEX|SCHEMA|TYPE|DOMAIN|FUNCTION|PROCEDURE|"
    r"ROUTINE|AGGREGATE|OPERATOR(?: CLASS| FAMILY)?|CAST|COLLATION|(?:DEFAULT )?CONVERSION|TRIGGER|RULE|POLICY|"
    r"STATISTICS|TEXT SEARCH (?:CONFIGURATION|DICTIONARY|PARSER|TEMPLATE)|CONSTRAINT|COLUMN|LARGE OBJECT|"
    r"TRANSFORM FOR|(?:PROCEDURAL )?LANGUAGE|ACCESS METHOD|EXTENSION)"
)
_ELSEWHERE = r"(?:PUBLICATION|SUBSCRIPTION|SERVER|FOREIGN DATA WRAPPER|USER MAPPING|EVENT TRIGGER)"
_SETTING = (
    r"(?:statement_timeout|lock_timeout|idle_in_transaction_session_timeout|idle_session_timeout|client_encoding|"
    r"check_function_bodies|xmloption|client_min_messages|row_security|default_table_access_method|"
    r"default_with_oids|escape_string_warning|search_path|default_toast_compression)"
)
_RULES: tuple[tuple[Fate, str], ...] = (
    (Fate.LEAVES, r"\\connect [^\\]+"),
    (Fate.LEAVES, r"(?:CREATE|ALTER|DROP) DATABASE\b.*"),
    (Fate.LEAVES, r"(?:COMMENT|SECURITY LABEL(?: FOR \S+)?) ON DATABASE\b.*"),
    (Fate.LEAVE_OUT, rf"(?:CREATE|ALTER|DROP|COMMENT ON|SECURITY LABEL ON) {_ELSEWHERE}\b.*"),
    (Fate.LEAVE_OUT, r"(?:ALTER|COMMENT ON) FOREIGN TABLE\b.*"),
    (Fate.LEAVE_OUT, r"\\(?:un)?restrict \w+"),
    (Fate.LEAVE_OUT, r"(?:GRANT|REVOKE) .* ON (?!PARAMETER|TABLESPACE).*"),
    (Fate.LEAVE_OUT, r"ALTER DEFAULT PRIVILEGES\b.*"),
    (Fate.LEAVE_OUT, rf"ALTER {_OBJECT} .* OWNER TO {_NAME};"),
    (Fate.LEAVE_OUT, r"COMMENT ON (?:EXTENSION\b|SCHEMA \"?public\"? ).*"),
    # The owner would not see rows any more, and could not load them.
    (Fate.LEAVE_OUT, rf"ALTER TABLE (?:ONLY )?{_QUALIFIED} FORCE ROW LEVEL SECURITY;"),
    # How --clean takes away a view that others depend on in a circle.
    (Fate.LEAVE_OUT, rf"CREATE OR REPLACE VIEW {_QUALIFIED}[^;]*? AS\nSELECT\n    NULL::.*"),
    (Fate.LEAVE_OUT, rf"SECURITY LABEL (?:FOR \S+ )?ON {_OBJECT}\b.*"),
    (Fate.LEAVE_OUT, rf"DROP {_OBJECT}\b.*"),
    (Fate.LEAVE_OUT, rf"ALTER (?:TABLE|DOMAIN) (?:IF EXISTS )?(?:ONLY )?{_QUALIFIED} DROP CONSTRAINT\b.*"),
    (
        Fate.LEAVE_OUT,
        rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_QUALIFIED} ALTER COLUMN {_NAME} DROP DEFAULT;",
    ),
    (Fate.LEAVE_OUT, r"SET (?:transaction_timeout|default_tablespace) = .*"),
    (Fate.LEAVE_OUT, r"(?:RE)?SET SESSION AUTHORIZATION\b[^;]*;"),
    (Fate.LEAVE_OUT, r"SELECT (?:\* FROM )?pg_catalog\.pg_restore_\w+_stats\(.*"),
    (Fate.LEAVE_OUT, r"SELECT pg_catalog\.lo_unlink\('\d+'\);"),
    (
        Fate.LEAVE_OUT,
        r"SELECT pg_catalog\.lo_unlink\(oid\) FROM pg_catalog\.pg_largeobject_metadata WHERE oid = '\d+';",
    ),
    (Fate.RUN, rf"SET {_SETTING} = [^;]*;"),
    (Fate.RUN, r"SET standard_conforming_strings = on;"),
    (Fate.RUN, r"SELECT pg_catalog\.set_config\('search_path', '[^']*', false\);"),
    (Fate.RUN, r"SELECT pg_catalog\.setval\('(?:[^']|'')+', -?\d+, (?:true|false)\);"),
    (Fate.RUN, r"SELECT pg_catalog\.lo(?:_create|_open|write|_close)\([^();]*\);"),
    (Fate.RUN, r"SELECT pg_catalog\.lo_open\('\d+', \d+\);"),
    (Fate.RUN, r"(?:BEGIN|COMMIT|START TRANSACTION);"),
    (Fate.RUN, rf"COPY {_QUALIFIED} (?:\({_NAME}(?:, {_NAME})*\))? ?FROM stdin;"),
    (Fate.RUN, rf"INSERT INTO {_QUALIFIED}\s.*"),
    (Fate.RUN, rf"REFRESH MATERIALIZED VIEW {_QUALIFIED};"),
    (Fate.RUN, rf"CREATE (?:OR REPLACE )?(?:UNIQUE |RECURSIVE |CONSTRAINT |TRUSTED )?{_OBJECT}\b.*"),
    (Fate.RUN, rf"ALTER {_OBJECT}\b.*"),
    (Fate.RUN, rf"COMMENT ON {_OBJECT}\b.*"),
)
_COMPILED = [(fate, re.compile(text, re.DOTALL)) for fate, text in _RULES]
_NAME_BYTES, _QUALIFIED_BYTES = (
    text.replace(r"\x80-\uffff", r"\x80-\xff").encode() for text in (_NAME, _QUALIFIED)
)
# What is written otherwise for psql: a schema may be there already, a server of foreign tables and the roles that a
# policy is for are not. (pg_dump's dumpTableSchema and dumpPolicy.)
_REWRITTEN: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    (re.compile(rb"\ACREATE SCHEMA (?!IF NOT EXISTS)"), b"CREATE SCHEMA IF NOT EXISTS "),
    (
        re.compile(rb"\ACREATE FOREIGN (TABLE .*\n\)(?:\nINHERITS [^\n]*)?)\nSERVER .*;\Z", re.DOTALL),
        rb"CREATE \1;",
    ),
    (
        re.compile(
            rb"\A(CREATE POLICY %(name)b ON %(table)b(?: AS RESTRICTIVE)?(?: FOR \w+)?) TO %(name)b(?:, %(name)b)*"
            rb"(?= USING| WITH|;)" % {b"name": _NAME_BYTES, b"table": _QUALIFIED_BYTES}
        ),
        rb"\1",
    ),
)


def fate_of(piece: Piece) -> Fate:
    """What becomes of a statement, or of a command of psql; the keywords as pg_dump writes them."""
    if piece.kind not in (Kind.STATEMENT, Kind.COMMAND):
        return Fate.RUN
    if piece.kind is Kind.STATEMENT and piece.statement.startswith(b"INSERT INTO "):
        return Fate.RUN  # the reader has found its end; millions of them need no second look
    text = piece.statement.decode("utf-8", "replace")
    for fate, expression in _COMPILED:
        if expression.fullmatch(text):
            return fate if fate is not Fate.RUN or piece.kind is Kind.STATEMENT else Fate.REFUSE
    return Fate.REFUSE


def as_run(piece: Piece) -> bytes:
    """The piece as psql gets it: without the comments before it, and without what the scratch server does not have."""
    if piece.kind is Kind.ROWS:
        return piece.text
    if piece.kind is Kind.STATEMENT:
        statement = piece.statement
        for expression, other in _REWRITTEN if statement.startswith(b"CREATE ") else ():
            statement = expression.sub(other, statement, count=1)
        return statement + (b"" if piece.begins_copy else b"\n")
    return b""
