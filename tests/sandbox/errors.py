"""What goes wrong with the sandbox itself, in words for the person who started it."""


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the message says what, where and what to do."""
