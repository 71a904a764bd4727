"""`make bench`: a line per figure, also in .bench.json. `python -m tests.bench [NAME...]` measures some."""

import json
import sys
import time
from pathlib import Path

from tests.bench import (
    backup_gzip,
    batch_delete,
    dag_load,
    dag_run,
    health_checks,
    log_review,
    pods_5000,
    reader_stall,
    writer_stall,
)
from tests.bench.platform import HELD
from tests.sandbox.errors import SandboxError

MODULES = (
    dag_load,
    health_checks,
    dag_run,
    pods_5000,
    log_review,
    writer_stall,
    reader_stall,
    batch_delete,
    backup_gzip,
)
FIGURES = {module.NAME: module for module in MODULES}
RESULTS = Path(__file__).parents[2] / ".bench.json"


def main(names: list[str]) -> None:
    unknown = set(names) - set(FIGURES)
    if unknown:
        sys.exit(f"error: no figure is called {min(unknown)!r}; there are: {', '.join(FIGURES)}")
    results = json.loads(RESULTS.read_text()) if names and RESULTS.exists() else {}
    began = time.monotonic()
    failed = []
    with HELD:
        for name in names or FIGURES:
            try:
                figure = FIGURES[name].measure()
            except (RuntimeError, SandboxError) as error:
                failed.append(f"{name} could not be measured: {error}")
                continue
            results[name] = figure.to_dict()
            print(figure.line(), flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    print(f"{time.monotonic() - began:.0f} s; written to {RESULTS.name}")
    if failed:
        sys.exit("\n".join(failed))


main(sys.argv[1:])
