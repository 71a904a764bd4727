"""The command line: `python -m tests.sandbox up|down|status|fault NAME [off]|faults`."""

import argparse
import sys

from tests.sandbox import lifecycle
from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import load_settings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start what does not run yet")
    commands.add_parser("down", help="stop everything").add_argument(
        "--with-data", action="store_true", help="also remove the data; the next `up` builds it again"
    )
    commands.add_parser("status", help="a line per part")
    given = parser.parse_args(arguments)
    settings = load_settings()
    if given.command == "up":
        lifecycle.up(settings)
    elif given.command == "down":
        lifecycle.down(settings, with_data=given.with_data)
    else:
        print_table(("name", "port", "pid", "state", "since"), lifecycle.status(settings))
    return 0


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SandboxError as error:
        sys.exit(f"error: {error}")
