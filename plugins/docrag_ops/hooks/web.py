"""HTTP services behind Airflow Connections: addresses, credentials, time limits, bounded retries."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError

if TYPE_CHECKING:
    import requests
    from airflow.sdk import Connection

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
RETRY_STATUS = (502, 503, 504)


class WebHook(BaseHook):
    """A service that speaks HTTP, by a Connection of type `http`.

    The Connection's `host` may hold the scheme (`https://prometheus.example`), as Airflow's own HTTP Connection
    does; login and password are basic authentication; the extras `token` (bearer), `verify` (false, or a CA file)
    and `headers` are honoured. Asking is tried twice; only passing faults are tried again.
    """

    def __init__(self, conn_id: str, *, name: str, tries: int = 2) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.name = name
        self.tries = tries

    @cached_property
    def connection(self) -> Connection:
        """The Connection, asked for once: each time is a call of Airflow's API."""
        return self.get_connection(self.conn_id)

    @cached_property
    def base_url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        connection = self.connection
        host = connection.host or ""
        url = host if "://" in host else f"{connection.schema or 'http'}://{host}"
        return f"{url.rstrip('/')}:{connection.port}" if connection.port else url.rstrip("/")

    @cached_property
    def session(self) -> requests.Session:
        """A session with the Connection's credentials."""
        import requests

        connection = self.connection
        extra = connection.extra_dejson
        session = requests.Session()
        session.trust_env = False
        if connection.login:
            session.auth = (connection.login, connection.password or "")
        if extra.get("token"):
            session.headers["Authorization"] = f"Bearer {extra['token']}"
        session.headers.update(extra.get("headers") or {})
        session.verify = extra.get("verify", True)
        return session

    def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Mapping[str, str] | None = None,
        read_seconds: float | None = None,
    ) -> requests.Response:
        """Send a request; any status is an answer, but for 502, 503 and 504, which are tried again.

        :raises UnreachableError: refused, timed out or broken off, naming the service and its address.
        """
        import requests

        read_seconds = read_seconds or READ_SECONDS
        failure = ""
        for attempt in range(1, self.tries + 1):
            try:
                response = self.session.request(
                    method,
                    f"{self.base_url}{path}",
                    json=json,
                    data=data,
                    timeout=(CONNECT_SECONDS, read_seconds),
                    allow_redirects=False,
                )
                if response.status_code not in RETRY_STATUS:
                    return response
                failure = f"HTTP {response.status_code}: {response.text[:300]}"
            except requests.RequestException as error:
                failure = describe_failure(error, read_seconds=read_seconds)
            if attempt < self.tries:
                self.log.info("%s %s%s: %s; asking again", method, self.base_url, path, failure)
                time.sleep(0.2)
        raise UnreachableError(
            f"{self.name} at {self.base_url} ({self.conn_id}) did not answer {path}: {failure}"
        )

    def ask_json(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of a 200 answer.

        :raises CouldNotMeasureError: for any other status, or a body that is no JSON, quoting its beginning.
        """
        response = self.ask(method, path, **options)
        if response.status_code != 200:
            raise CouldNotMeasureError(
                f"{self.name} at {self.base_url} answered {path} with HTTP {response.status_code}: "
                f"{response.text[:300]!r}"
            )
        try:
            return response.json()
        except ValueError as error:
            raise CouldNotMeasureError(
                f"{self.name} at {self.base_url} answered {path} with something that is no JSON: "
                f"{response.text[:300]!r}"
            ) from error


def describe_failure(error: Exception, *, read_seconds: float) -> str:
    """What happened, without the client library's wrapping."""
    import requests

    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {CONNECT_SECONDS:g} s"
    if isinstance(error, requests.ReadTimeout):
        return f"no answer within {read_seconds:g} s"
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return str(cause) or type(cause).__name__
