"""The history database, as tests look into it or put something there."""

from typing import Any

import psycopg

from tests.sandbox.connections import connections
from tests.sandbox.settings import Settings


def history_of(sandbox: Settings) -> psycopg.Connection[Any]:
    """A session in the history of this sandbox; the block is one transaction."""
    known = connections(sandbox)["docrag_history"]
    return psycopg.connect(
        host=known["host"],
        port=known["port"],
        user=known["login"],
        password=known["password"],
        dbname=known["schema"],
    )
