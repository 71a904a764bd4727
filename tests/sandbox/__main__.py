"""The command line: `python -m tests.sandbox up|down|status|fault NAME [off]|faults`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.sandbox import lifecycle, storage
from tests.sandbox.errors import SandboxError
from tests.sandbox.faults import cluster, registry
from tests.sandbox.settings import Settings, load_settings


def main(arguments: list[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    settings = load_settings()
    if given.command == "up":
        lifecycle.up(settings)
    elif given.command == "down":
        lifecycle.down(settings, with_data=given.with_data)
    elif given.command == "status":
        show_status(settings)
    elif given.command == "faults":
        show_faults(settings)
    else:
        switch(settings, given.name, off=given.off == "off")
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m tests.sandbox", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start what does not run yet; faults are turned off")
    commands.add_parser("down", help="stop everything").add_argument(
        "--with-data", action="store_true", help="also remove the data; the next `up` builds it again"
    )
    commands.add_parser("status", help="a line per part")
    commands.add_parser("faults", help="what can be broken, and what is")
    fault = commands.add_parser("fault", help="break something, or put it right again")
    fault.add_argument("name")
    fault.add_argument("off", nargs="?", choices=["off"], help="put it right again")
    return top


def show_status(settings: Settings) -> None:
    print_table(("name", "port", "pid", "state", "since"), lifecycle.status(settings))
    trouble = storage.trouble(settings)
    if trouble:
        print(f"The API's volume is {trouble}")
    for name, since in registry.active(settings).items():
        print(f"The fault {name} is on since {datetime.fromtimestamp(since, UTC):%H:%M:%S}Z")


def show_faults(settings: Settings) -> None:
    on = registry.active(settings)
    rows = [(name, "on" if name in on else "-", fault.what) for name, fault in registry.FAULTS.items()]
    broken = cluster.active(settings)
    rows += [(name, "on" if name in broken else "-", "in the cluster") for name in cluster.known(settings)]
    print_table(("fault", "state", "what"), sorted(rows))


def switch(settings: Settings, name: str, *, off: bool) -> None:
    with lifecycle.lock(settings):
        (registry.turn_off if off else registry.turn_on)(settings, name)
    print(f"The fault {name} is {'off' if off else 'on'}")


def print_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SandboxError as error:
        sys.exit(f"error: {error}")
