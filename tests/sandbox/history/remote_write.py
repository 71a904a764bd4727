"""Send samples of the past to a running Prometheus: remote write, by hand, since it is 60 lines.

Shape: https://prometheus.io/docs/specs/remote_write_spec/ (protobuf WriteRequest, snappy block format).
"""

import struct
import urllib.request
from collections.abc import Iterable, Iterator, Sequence

from tests.sandbox.history.series import Series

SAMPLES_PER_REQUEST = 20_000
LITERAL_BYTES = 65536


def send(url: str, times: Sequence[int], series: Iterable[Series]) -> None:
    """Send all series at `times` (seconds). Raises urllib's errors; the body says what Prometheus minds."""
    for body in _requests(times, series):
        request = urllib.request.Request(url, data=snappy(body), method="POST")
        request.add_header("Content-Type", "application/x-protobuf")
        request.add_header("Content-Encoding", "snappy")
        request.add_header("X-Prometheus-Remote-Write-Version", "0.1.0")
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()


def _requests(times: Sequence[int], series: Iterable[Series]) -> Iterator[bytes]:
    body, samples = b"", 0
    for one in series:
        for first in range(0, len(times), SAMPLES_PER_REQUEST):
            last = first + SAMPLES_PER_REQUEST
            body += _field(1, _time_series(one, times[first:last], one.values[first:last]))
            samples += len(times[first:last])
            if samples >= SAMPLES_PER_REQUEST:
                yield body
                body, samples = b"", 0
    if body:
        yield body


def _time_series(one: Series, times: Sequence[int], values: Sequence[float]) -> bytes:
    labels = sorted({"__name__": one.name, **one.labels}.items())
    parts = [_field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in labels]
    for time, value in zip(times, values, strict=True):
        parts.append(_field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(time * 1000)))
    return b"".join(parts)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first.

    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def snappy(data: bytes) -> bytes:
    """Valid snappy that compresses nothing: the length, then literals."""
    parts = [varint(len(data))]
    for start in range(0, len(data), LITERAL_BYTES):
        literal = data[start : start + LITERAL_BYTES]
        parts.append(bytes([61 << 2]) + struct.pack("<H", len(literal) - 1) + literal)
    return b"".join(parts)
