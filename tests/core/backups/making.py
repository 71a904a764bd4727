"""Archives made for tests."""

import io
import json
import tarfile
from datetime import UTC, datetime

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
SEGMENT = "0/segments/5b1e4e8c"
CONFIG = {"params": {"vectors": {"size": 384, "distance": "Cosine"}, "shard_number": 1}}
COLLECTION = {
    "config.json": json.dumps(CONFIG).encode(),
    "0/shard_config.json": b'{"type": "Local"}',
    f"{SEGMENT}/segment.json": b"{}",
    f"{SEGMENT}/vector_storage/chunk_0.mmap": b"vectors",
    f"{SEGMENT}/payload_storage/page_0.dat": b"payload",
}


def tar(files: dict[str, bytes], *, kind: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=kind) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), AT.timestamp()
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def below(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}{name}": content for name, content in files.items()}


def chunks(data: bytes, size: int = 700) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]
