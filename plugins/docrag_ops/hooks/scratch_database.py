"""A database on the scratch server for one restore: how it is made, and how it is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

CONNECT_SECONDS = 5
IS_SUPERUSER = b"SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
SSL = {name: f"PG{name.upper()}" for name in ("sslmode", "sslrootcert", "sslcert", "sslkey")}


@dataclass(frozen=True, kw_only=True)
class ScratchDatabase:
    """A database for one restore, and the role that owns it."""

    name: str
    password: str
    host: str
    port: int
    ssl: Mapping[str, str]

    def variables(self, *, seconds: float) -> dict[str, str]:
        """What psql needs to reach it, as variables of its environment."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.name,
            "PGDATABASE": self.name,
            "PGPASSWORD": self.password,
            "PGCONNECT_TIMEOUT": str(CONNECT_SECONDS),
            "PGAPPNAME": "docrag-ops restore drill",
            "PGOPTIONS": f"-c standard_conforming_strings=on -c idle_in_transaction_session_timeout={int(seconds)}s",
            **{SSL[name]: value for name, value in self.ssl.items()},
        }

    @contextmanager
    def session(self, *, seconds: float) -> Iterator[Connection[Any]]:
        """A session of the restricted role, each statement on its own and within a time limit."""
        import psycopg

        with psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.name,
            password=self.password,
            dbname=self.name,
            connect_timeout=CONNECT_SECONDS,
            client_encoding="utf-8",  # in a database of SQL_ASCII names would be bytes
            options=f"-c statement_timeout={int(seconds)}s -c timezone=UTC -c default_transaction_read_only=on",
            autocommit=True,
            **self.ssl,  # type: ignore[arg-type]
        ) as connection:
            yield connection


def create(
    session: Connection[Any], name: str, password: str, encoding: str, collate: str, ctype: str
) -> None:
    """The role, of which the server gets the verifier only, and its database."""
    import psycopg
    from psycopg import sql

    verifier = session.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    role = sql.Identifier(name)
    session.execute(
        sql.SQL(
            "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 8 PASSWORD {}"
        ).format(role, sql.Literal(verifier))
    )
    if session.execute(IS_SUPERUSER).fetchone() != (True,):
        session.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
    create = sql.SQL("CREATE DATABASE {0} OWNER {0} TEMPLATE template0 ENCODING {1}").format(
        role, sql.Literal(encoding)
    )
    locale = sql.SQL(" LC_COLLATE {} LC_CTYPE {}")
    try:
        session.execute(create + locale.format(sql.Literal(collate), sql.Literal(ctype)))
    except (psycopg.errors.WrongObjectType, psycopg.errors.InvalidParameterValue):
        # The live server's locale is not on this machine: any other sorts otherwise, but restores as well.
        session.execute(create + locale.format(sql.Literal("C"), sql.Literal("C")))
    session.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(role))


def add_extensions(
    session: Connection[Any], owner: str, extensions: Sequence[Mapping[str, Any]], tables: str
) -> None:
    """What the live database has: the role could not add those that are not trusted."""
    from psycopg import sql

    for row in extensions:
        schema = sql.Identifier(row["schema"])
        if row["schema"] not in ("public", "pg_catalog"):
            session.execute(
                sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(
                    schema, sql.Identifier(owner)
                )
            )
        session.execute(
            sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {} CASCADE").format(
                sql.Identifier(row["name"]), schema
            )
        )
    for table_schema, table in session.execute(tables.encode(), {}).fetchall():
        session.execute(
            sql.SQL("GRANT ALL ON {} TO {}").format(
                sql.Identifier(table_schema, table), sql.Identifier(owner)
            )
        )
