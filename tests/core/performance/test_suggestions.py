"""Which index a statement would need, by its text."""

import pytest

from docrag_ops.core.performance.suggestions import Table, create_index, suggest

COLUMNS = ("id", "user_id", "created_at", "Odd col", "status")
TABLE = Table(schema="public", name="user_sessions", columns=COLUMNS, unindexed=COLUMNS[1:])
ODD = Table(schema="S", name='T "x" 50%', columns=COLUMNS, unindexed=COLUMNS)


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT * FROM user_sessions WHERE user_id = $1", ("user_id",)),
        ("select * from User_Sessions s where s.User_Id=$1 and s.status in ($2, $3)", ("user_id", "status")),
        ("SELECT FROM public.user_sessions s WHERE created_at > $1 AND user_id = ANY ($2)", ("user_id", "created_at")),
        ("DELETE FROM ONLY user_sessions WHERE created_at < now() - $1::interval", ("created_at",)),
        ("UPDATE user_sessions SET status = $1 WHERE user_id = $2", ("user_id",)),
        ('SELECT * FROM "user_sessions" WHERE "Odd col" = $1 ORDER BY created_at', ("Odd col",)),
        ("SELECT * FROM documents AS d, user_sessions AS s WHERE s.user_id = $1 AND d.status = $2", ("user_id",)),
        ("SELECT * FROM user_sessions WHERE created_at BETWEEN $1 AND $2", ("created_at",)),
    ],
)  # fmt: skip
def test_columns_that_are_compared_make_the_index(query: str, columns: tuple[str, ...]):
    found = suggest(TABLE, [query])
    assert found is not None
    assert found.columns == columns


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM user_sessions",
        "SELECT * FROM user_sessions WHERE id = $1 AND user_id = $2",
        "SELECT * FROM user_sessions WHERE user_id = $1 OR status = $2",
        "SELECT * FROM user_sessions WHERE lower(status) = $1",
        "SELECT * FROM user_sessions WHERE user_id <> $1",
        "SELECT * FROM user_sessions WHERE other_user_id = $1",
        "SELECT * FROM user_sessions JOIN d ON true WHERE d.status = $1",
        "UPDATE user_sessions SET status = $1",
    ],
)
def test_what_no_plain_index_serves_is_only_shown(query: str):
    found = suggest(TABLE, [query])
    assert found is not None
    assert (found.query, found.columns) == (query, ())


@pytest.mark.parametrize(
    "query", ["SELECT 1", "SELECT * FROM user_sessions_old WHERE user_id = $1", "SELECT user_sessions"]
)
def test_statement_about_something_else_is_not_named(query: str):
    assert suggest(TABLE, [query]) is None


def test_statement_with_a_usable_condition_comes_before_one_with_more_time():
    slow, usable = "SELECT count(*) FROM user_sessions", "SELECT * FROM user_sessions WHERE user_id = $1"
    found = suggest(TABLE, [slow, usable])
    assert found is not None
    assert found.query == usable


def test_hostile_names_are_quoted():
    found = suggest(ODD, ['SELECT * FROM "S"."T ""x"" 50%" WHERE "Odd col" = $1'])
    assert found is not None
    assert create_index(ODD, found.columns) == 'CREATE INDEX CONCURRENTLY ON "S"."T ""x"" 50%" ("Odd col");'
