"""Airflow's local settings, which each of its processes imports at its start: `docrag_ops/preload.py` says what for."""

import sys

from docrag_ops.preload import preload

preload(sys.argv)
