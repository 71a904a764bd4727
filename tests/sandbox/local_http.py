"""Two calls to servers on this machine."""

import urllib.request


def post(address: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=10) as answer:
        answer.read()


def answers(address: str) -> bool:
    """Whether a GET is answered with 2xx."""
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except OSError:  # urllib's errors are OSErrors
        return False
