"""Pure judgement: records, measurements, verdicts, findings, reports.

Nothing here imports Airflow or opens a connection; files are read only by the loaders of `include/`.
"""
