"""Logs: reading lines, mining templates, and what may be done to log files.

Pure, as all of core: bytes and numbers in, decisions out.
"""
