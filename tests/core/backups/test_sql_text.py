"""A dump's text, cut where psql would cut it."""

import pytest

from docrag_ops.core.backups.errors import DamagedError, UnreadableError
from docrag_ops.core.backups.sql_text import Kind, pieces

FUNCTION = b"""CREATE FUNCTION public.f() RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT CASE WHEN true THEN 1 ELSE 2 END;
 SELECT 2;
END;"""
WHOLE_STATEMENTS = [
    b"SELECT 'it''s; --no comment';",
    b"SELECT E'a\\';b';",
    b'SELECT "a;""b";',
    b"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $_$ BEGIN; \\! x $$ ' END $_$;",
    b"CREATE FUNCTION f() AS $$;$$;",
    b"SELECT $1, a$b$c;",
    b"SELECT /* ; /* nested ; */ ' */ 1;",
    b"SELECT 1 -- ; '\n;",
    b"CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);",
    b"SELECT 2 - 1 / 3;",
    FUNCTION,
]


def cut(text: bytes, size: int = 1_000_000) -> list[tuple[Kind, bytes]]:
    return [
        (piece.kind, piece.text if piece.kind is Kind.ROWS else piece.statement)
        for piece in pieces(text[at : at + size] for at in range(0, len(text), size))
    ]


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
@pytest.mark.parametrize("statement", WHOLE_STATEMENTS)
def test_statement_is_one_piece(statement, size):
    text = b"-- a comment; with ' a quote\n\n" + statement + b"\nSELECT 1;\n"
    assert cut(text, size)[:2] == [(Kind.STATEMENT, statement), (Kind.STATEMENT, b"SELECT 1;")]


@pytest.mark.parametrize("size", [1, 5, 1_000_000])
def test_rows_are_no_statements(size):
    rows = b"\n1\tit's; \\\\. not the end\n\\N\t$$\n\\.\n"
    found = cut(b"COPY t (a, b) FROM stdin;" + rows + b"SELECT 1;\n", size)
    assert found[0] == (Kind.STATEMENT, b"COPY t (a, b) FROM stdin;")
    assert b"".join(text for kind, text in found if kind is Kind.ROWS) == rows
    assert found[-2] == (Kind.STATEMENT, b"SELECT 1;")


def test_table_without_rows():
    found = cut(b"COPY t (a) FROM stdin;\n\\.\nSELECT 1;\n")
    assert [kind for kind, _ in found] == [Kind.STATEMENT, Kind.ROWS, Kind.STATEMENT, Kind.REST]


@pytest.mark.parametrize("text", [b"\\! rm x\n", b"SELECT 1 \\! rm x\n", b"  \\connect other\nSELECT 1;"])
def test_command_of_psql_is_seen_wherever_it_stands(text):
    kind, statement = cut(text)[0]
    assert kind is Kind.COMMAND
    assert b"\\" in statement


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 1",
        b"SELECT 'abc;",
        b'SELECT "abc;',
        b"SELECT $a$ abc;",
        b"SELECT /* abc;",
        b"SELECT E'abc\\';",
        b"COPY t (a) FROM stdin;\n1\n2\n",
        b"CREATE FUNCTION f() BEGIN ATOMIC SELECT 1;",
    ],
)
def test_text_that_ends_within_something_is_damaged(text):
    with pytest.raises(DamagedError):
        cut(text)


def test_comment_may_be_the_end():
    assert cut(b"SELECT 1;\n--\n-- complete\n--")[-1][0] is Kind.REST


def test_string_that_goes_on_in_the_next_line_is_not_guessed_at():
    with pytest.raises(UnreadableError):
        cut(b"SELECT E'a'\n  '\\'; \\! rm x';\n")


def test_text_behind_a_copy_is_not_guessed_at():
    with pytest.raises(UnreadableError):
        cut(b"COPY t (a) FROM stdin; SELECT 1;\n1\n\\.\n")


@pytest.mark.parametrize("size", range(1, 12))
def test_end_of_rows_is_found_across_chunks_among_many_backslashes(size):
    rows = b"\n" + b"\\N\t\\\\.\n\\\\\t.\n" * 30 + b"\\.\n"
    found = cut(b"COPY t (a, b) FROM stdin;" + rows + b"SELECT 1;\n", size)
    assert b"".join(text for kind, text in found if kind is Kind.ROWS) == rows
    assert found[-2] == (Kind.STATEMENT, b"SELECT 1;")
