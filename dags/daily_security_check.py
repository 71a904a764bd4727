"""
# Daily security check

**Question.** Are the certificates good and really served, was everything scanned today, and does anybody try to get in?

**Runs** daily at 18:00 UTC, when the day's releases are out and somebody is still there to renew a certificate or
block an address before the night. It changes nothing; it reads no Secret.

**Looks at** cert-manager's Certificates and the certificate that each TLS endpoint really serves; the scanner's reports
and results, with their age; failed authentications and rate limits in the logs of all pods, by source, compared with
the days before. One task per area, its questions in `include/checks/AREA.yaml`. An area that the environment does not
have is skipped.

**If it fails** a finding is `critical` or `unknown`: a scan that is missing or old says nothing, and a log that cannot
be read is not "no failures". The red task is where the trouble is; the `report` task's log has every finding with
evidence, remedy and runbook. Nothing is left behind. After mending, clear the run or trigger a new one.
"""

from airflow.sdk import DAG

from docrag_ops.entry import scheduled_entry
from docrag_ops.operators.checks import CheckOperator
from docrag_ops.operators.report import ReportOperator

with DAG(
    dag_id="daily_security_check",
    schedule="0 18 * * *",
    doc_md=__doc__,
    tags=["daily", "security", "reads"],
    **scheduled_entry(),
):
    check_certificates = CheckOperator(task_id="check_certificates", area="certificates")
    check_scans = CheckOperator(task_id="check_scans", area="scans")
    check_access = CheckOperator(task_id="check_access", area="access")

    report = ReportOperator(task_id="report")

    [check_certificates, check_scans, check_access] >> report
