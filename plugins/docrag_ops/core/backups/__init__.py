"""Backups: what their files say of themselves, what of a dump may be restored, and what a restore came to.

names  inflate                                    which files there are, and unpacking them
custom_dump  sql_text  statements  dump_scan      dumps of PostgreSQL
archives  qdrant  configuration                   tar archives
examined  file_measures  part_measures            what the newest file is measured by
restored  restore_measures                        what a restore is measured by
"""
