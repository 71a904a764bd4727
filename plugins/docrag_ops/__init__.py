"""Doc-RAG's maintenance calendar: checks that prove, changes that are approved, reports that remember.

Imports go one way: dags -> operators -> hooks -> core. Kept by import-linter (`make check`).
"""
