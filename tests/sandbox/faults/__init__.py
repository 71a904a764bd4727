"""What can be broken on purpose: each fault is really caused, and undone exactly.

registry      turning on and off, what is remembered in between
postgres      cache      monitoring      web      volumes      security      backups      one small function per fault
holders       processes that hold something open for as long as a fault is on
cluster       the faults of the stand-in cluster, switched over its control port
"""
