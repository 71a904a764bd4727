"""What the weekly performance review works out: statements between snapshots, the indexes they need, keys.

Pure, as all of core.
"""
