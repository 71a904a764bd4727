"""Check areas in one warm process, as the check tasks do it: hooks, judging and the history, without Airflow's
own running of tasks.

`warm_process` starts it and asks; started as `python -m tests.bench.areas AREA...` it answers. It imports nothing
that a task would not, as its memory is a figure too.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

Answer = dict[str, float]


@contextmanager
def warm_process(environment: Mapping[str, str], *areas: str) -> Iterator[Callable[[], Answer]]:
    """A function that has these areas (all, when none is named) measured once more.

    Its answer: `seconds` of wall time, `peak_mb`, the most memory the whole process ever had, and `airflow_mb`, what
    it had when it had imported Airflow and nothing of ours.
    """
    command = [sys.executable, "-m", "tests.bench.areas", *areas]
    with subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:

        def ask() -> Answer:
            print("again", file=child.stdin, flush=True)
            for line in child.stdout:
                if line.startswith("{"):
                    answer: Answer = json.loads(line)
                    return answer
            raise RuntimeError("The process that runs the checks ended; its error is above")

        yield ask
        child.stdin.close()


def measure(areas: list[str]) -> float:
    """Seconds for these areas, one after the other. Raises when a check fails: nothing is compared then."""
    from docrag_ops.core.runs import RunKey
    from docrag_ops.hooks.include import IncludeFolder
    from docrag_ops.operators.asking import Asking
    from docrag_ops.operators.checks import CheckOperator

    began = time.perf_counter()
    include, now = IncludeFolder(), datetime.now(UTC)
    running_dag = SimpleNamespace(is_paused=False, next_dagrun=None)
    asking = Asking(
        environment=include.environment("docrag-prod"),
        include=include,
        run=RunKey(environment="docrag-prod", entry="bench", run_id=f"bench__{now.isoformat()}"),
        now=now,
        # The one question that only a task may ask Airflow: what it knows of a DAG.
        task_instance=SimpleNamespace(get_dag=lambda name: running_dag),
    )
    operators = [CheckOperator(task_id=f"check_{area}", area=area) for area in areas or include.areas()]
    results = [operator.measure(asking) for operator in operators]
    seconds = time.perf_counter() - began
    for finding in (finding for result in results for finding in result.findings):
        if finding.verdict.fails:
            raise RuntimeError(
                f"{finding.check} of {finding.subject} is {finding.verdict}: {finding.evidence}"
            )
    return seconds


def answer() -> None:
    import airflow.sdk  # noqa: F401

    airflow_mb = peak_mb()
    for _ in sys.stdin:
        seconds = measure(sys.argv[1:])
        print(
            json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "airflow_mb": airflow_mb}),
            flush=True,
        )


def peak_mb() -> int:
    """The most memory that this process ever had."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)


if __name__ == "__main__":
    answer()
