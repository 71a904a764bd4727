"""What is wrong with a backup, apart from what is wrong with reading it.

ValueError
├── DamagedError     the backup is bad: cut short, changed, or not what it is called
└── UnreadableError  it cannot be read here, which says nothing about it
"""


class DamagedError(ValueError):
    """A backup from which nothing, or not all, can be restored; the text says why."""


class UnreadableError(ValueError):
    """A backup that cannot be judged here: encrypted, or of a newer format than the tools know."""
