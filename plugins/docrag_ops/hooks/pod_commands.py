"""Commands inside pods: the WebSocket of `pods/exec`.

The Kubernetes client's own stream (36.0.3) is not used: its handshake has no time limit, nor has a frame of which
only half arrives; it decodes each frame by itself, which breaks characters that lie across two; it waits for more
when the rest has come in the same TLS record; and it tells a lost connection, a missing binary and a refusal as
TypeError, ValueError and AttributeError.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from docrag_ops.core.cluster.statuses import exit_code_of, message_of
from docrag_ops.core.errors import CouldNotMeasureError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration
    from websocket import WebSocket

HANDSHAKE_SECONDS = 10.0
OUTPUT_BYTES = 16 * 2**20
STDOUT, STDERR, STATUS = 1, 2, 3
PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]


@dataclass(frozen=True)
class PodName:
    """A pod, by namespace and name."""

    namespace: str
    name: str


@dataclass(frozen=True)
class CommandResult:
    """What a command in a pod came to. An exit code other than 0 is a result, not an error.

    Bytes that are no UTF-8 come as U+FFFD.
    """

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class RawResult:
    """The same with the bytes that the command wrote."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    def decoded(self) -> CommandResult:
        """As text."""
        return CommandResult(
            self.exit_code, self.stdout.decode("utf-8", "replace"), self.stderr.decode("utf-8", "replace")
        )


def run_command(
    client: ApiClient, pod: PodName, container: str, command: Sequence[str], *, seconds: float
) -> RawResult:
    """Run a command and wait for its end, `seconds` after the handshake's own limit at most.

    A command that is given up may go on in its pod: closing the connection does not end it.

    :raises CouldNotMeasureError: refused, missing binary, no end in time, too much output, or the pod went away.
    """
    from websocket import WebSocketBadStatusException, WebSocketException

    try:
        connection = _connect(client, pod, container, command)
        try:
            heard = _listen(connection, seconds)
        finally:
            connection.close(timeout=0)
            # `close` alone keeps the socket when the server has closed first.
            connection.shutdown()  # type: ignore[no-untyped-call]
        exit_code = exit_code_of(bytes(heard[STATUS]))
    except WebSocketBadStatusException as error:
        reason = f"HTTP {error.status_code}: {message_of(error.resp_body or b'')!r}"
    except (OSError, ValueError, WebSocketException, _GivenUpError) as error:
        reason = str(error)
    else:
        return RawResult(exit_code, bytes(heard[STDOUT]), bytes(heard[STDERR]))
    where = f"{list(command)!r} in {pod.namespace}/{pod.name}, container {container!r}"
    raise CouldNotMeasureError(f"Cannot run {where}: {reason}")


class _GivenUpError(Exception):
    """The command was not heard to its end."""


def _connect(client: ApiClient, pod: PodName, container: str, command: Sequence[str]) -> WebSocket:
    import websocket

    headers: dict[str, str] = {}
    client.update_params_for_auth(headers, [], ["BearerToken"])
    configuration = client.configuration
    query = [
        ("container", container),
        *(("command", word) for word in command),
        ("stdout", "1"),
        ("stderr", "1"),
    ]
    path = f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}/exec"
    url = "ws" + f"{configuration.host}{path}?{urlencode(query)}".removeprefix("http")
    return websocket.create_connection(
        url,
        timeout=HANDSHAKE_SECONDS,
        header=headers,
        subprotocols=PROTOCOLS,
        sslopt=_tls(configuration),
        redirect_limit=0,  # the token is for this server
        skip_utf8_validation=True,
        **_proxy(configuration, url),
    )


def _tls(configuration: Configuration) -> dict[str, Any]:
    import ssl

    options = {
        "cert_reqs": ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE,
        "ca_certs": configuration.ssl_ca_cert if configuration.verify_ssl else None,
        "check_hostname": configuration.assert_hostname if configuration.verify_ssl else None,
        "certfile": configuration.cert_file,
        "keyfile": configuration.key_file,
        "server_hostname": configuration.tls_server_name,
    }
    return {name: value for name, value in options.items() if value is not None}


def _proxy(configuration: Configuration, url: str) -> dict[str, Any]:
    if not (configuration.proxy or configuration.proxy_headers):
        return {}
    from kubernetes.stream.ws_client import websocket_proxycare

    options: dict[str, Any] = websocket_proxycare({}, configuration, url, None)
    return options


def _listen(connection: WebSocket, seconds: float) -> dict[int, bytearray]:
    """What came on each channel. Every frame is one byte of channel, then data; status comes last."""
    from websocket import ABNF, WebSocketException, WebSocketTimeoutException

    heard = {STDOUT: bytearray(), STDERR: bytearray(), STATUS: bytearray()}
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            kind, frame = connection.recv_data_frame(control_frame=True)
        except WebSocketTimeoutException:
            break
        except (OSError, WebSocketException) as error:
            if heard[STATUS]:
                return heard
            raise _GivenUpError(f"it broke off: {error}") from error
        if kind == ABNF.OPCODE_CLOSE:
            if heard[STATUS]:
                return heard
            raise _GivenUpError("it broke off: the server closed the connection before the command's end")
        if kind in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and frame.data and frame.data[0] in heard:
            heard[frame.data[0]] += frame.data[1:]
        if len(heard[STDOUT]) + len(heard[STDERR]) > OUTPUT_BYTES:
            raise _GivenUpError(f"it wrote more than {OUTPUT_BYTES:,} bytes")
    if heard[STATUS]:
        return heard
    raise _GivenUpError(f"no end within {seconds:g} s")
