"""Bring the history's tables up to date: `python -m docrag_ops.migrate upgrade|check` (with plugins/ on the path).

Uses the Connection `docrag_history`, from the environment (AIRFLOW_CONN_DOCRAG_HISTORY) or from Airflow.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from alembic import command
from alembic.config import Config

from docrag_ops.hooks.history import HistoryHook

MIGRATIONS = Path(__file__).parent / "migrations"


def main() -> None:
    """Run one Alembic command inside one transaction."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "action", choices=["upgrade", "check"], help="upgrade the tables, or fail when they differ"
    )
    action = parser.parse_args().action
    # Outside of its services Airflow looks into the environment only; as one of them, into its own database too.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with HistoryHook().transaction() as connection:
        config.attributes["connection"] = connection
        if action == "upgrade":
            command.upgrade(config, "head")
        else:
            command.check(config)
    print(f"history: {action} done")


if __name__ == "__main__":
    main()
