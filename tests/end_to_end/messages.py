"""What the receiver of alarms got, and how long each took from its cause."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.sandbox.settings import Settings

LONGEST_SECONDS = 180.0


class Messages:
    """The messages that arrived after this was made; `seconds` has the time from each cause to its message."""

    def __init__(self, settings: Settings) -> None:
        self.file = settings.state_dir / "alarms.jsonl"
        self.seen = len(self._all())
        self.seconds: dict[str, float] = {}

    def about(self, words: str) -> list[dict[str, Any]]:
        """The messages whose title or text has these words."""
        return [
            one for one in self._all()[self.seen :] if words in one["body"]["title"] + one["body"]["message"]
        ]

    def arrived(self, cause: str, words: str, since: float) -> dict[str, Any]:
        """Wait for the message about something; `since` is when it was caused (`time.time()`)."""
        message = wait_for(lambda: next(iter(self.about(words)), None), f"a message about {words}")
        received = datetime.fromisoformat(message["received_at"]).astimezone(UTC).timestamp()
        self.seconds[cause] = received - since
        return message["body"]

    def _all(self) -> list[dict[str, Any]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]


def wait_for(look: Callable[[], Any], what: str, *, timeout_seconds: float = LONGEST_SECONDS) -> Any:
    """What `look` finds, once it finds anything."""
    deadline = time.monotonic() + timeout_seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {timeout_seconds:.0f} s in vain for {what}"
        time.sleep(0.2)
    return found
