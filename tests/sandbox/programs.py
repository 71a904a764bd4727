"""Where the system's programs are, and what to do when one is missing."""

import shutil
from pathlib import Path

from tests.sandbox.errors import SandboxError


def program(*names: str) -> str:
    """The path of the first of `names` that is installed (PATH, and where Debian keeps servers)."""
    for name in names:
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
        if found:
            return found
    raise SandboxError(
        f"{' or '.join(names)} is not installed; run tests/sandbox/install.sh (as root or with sudo)"
    )


def postgres_program(name: str) -> str:
    """A program of the newest PostgreSQL server on this machine, e.g. `initdb`."""
    found = [path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if path.parts[-3].isdigit()]
    if found:
        return str(max(found, key=lambda path: int(path.parts[-3])))
    return program(name)
