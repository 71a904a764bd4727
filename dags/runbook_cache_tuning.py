"""
# Cache tuning

**Question.** Is the cache worth its memory, and what in it should live longer, shorter, or be warmed?

**Runs** when a person triggers it: when the hit rate is low, keys are evicted, or Redis runs out of memory. It samples
the counters, waits for the window without holding a worker, and looks again; a window of 0 minutes compares with the
last sample that was kept.

**Looks at** hit rate and evictions in the window, what has expired and is still kept, fragmentation, and a sample of
the keys by SCAN: memory by prefix and what of it lies idle, keys that never end, sessions that the eviction policy may
throw away, and what is in use and about to expire, which is what to warm. Redis counts hits per server, not per prefix:
caches of different roles are told apart when each has a Redis of its own.

**Changes** nothing. It never flushes: an empty cache makes the hit rate 0 and sends every request to the database.
`tune_redis` proposes settings.

**If it fails** something is `unknown`: Redis did not answer, or the history has no earlier sample.
"""

from datetime import timedelta

from airflow.sdk import DAG

from docrag_ops.entry import environment_param, runbook, window_param
from docrag_ops.operators.checks import CheckOperator
from docrag_ops.operators.report import ReportOperator
from docrag_ops.operators.sampling import SampleOperator

with DAG(
    dag_id="runbook_cache_tuning",
    schedule=None,
    doc_md=__doc__,
    tags=["runbook", "redis", "reads"],
    **runbook(
        dagrun_timeout=timedelta(hours=3),
        params={"environment": environment_param(), "window_minutes": window_param()},
    ),
):
    sample_cache = SampleOperator(task_id="sample_cache", area="cache_tuning")
    check_cache = CheckOperator(task_id="check_cache", area="cache_tuning")
    report = ReportOperator(task_id="report")

    sample_cache >> check_cache >> report
