"""The channels of the Connection `docrag_alarm`: Slack, mail, PagerDuty, a webhook … whatever Apprise knows.

Their addresses hold tokens. No log, message or error of ours ever quotes one: a channel is named by its service and
its place in the Connection, and what Apprise says of a failure is cleaned of every part of the address.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

CONN_ID = "docrag_alarm"
SHORTEST_SECRET = 6
REASON_CHARACTERS = 300


class ChannelError(Exception):
    """A message was not taken; the text says by whom and why, without any secret."""


@dataclass(frozen=True)
class Channel:
    """One place that messages are sent to. `send(title, text, is_test)` raises ChannelError."""

    name: str
    send: Callable[..., None]


def channels() -> list[Channel]:
    """The channels of the Connection, in its order.

    :raises ChannelError: when there is no such Connection, or it names a service that Apprise does not know.
    """
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        plugins = _plugins()
    except AirflowNotFoundException as error:
        raise ChannelError(
            f"{error}: nobody can be told anything. Create it under Admin, Connections; the README has the table"
        ) from error
    return [
        Channel(
            name=f"{plugin.service_name} #{number}", send=_sender(plugin, f"{plugin.service_name} #{number}")
        )
        for number, plugin in enumerate(plugins, start=1)
    ]


def _plugins() -> list[Any]:
    """Apprise's own objects. Long messages are cut, not split: one alarm is one message."""
    import apprise
    from airflow.providers.apprise.hooks.apprise import AppriseHook
    from airflow.sdk.log import mask_secret

    hook = AppriseHook(CONN_ID)
    try:
        config = hook.get_config_from_conn(hook.get_connection(CONN_ID))
    except (KeyError, ValueError) as error:
        raise ChannelError(
            f"The extra of the Connection {CONN_ID!r} cannot be read ({type(error).__name__}); expected e.g. "
            '{"config": {"path": "slack://…", "tag": "alarm"}}'
        ) from error
    found: list[Any] = []
    for number, entry in enumerate([config] if isinstance(config, dict) else config, start=1):
        mask_secret(entry["path"])
        channel = apprise.Apprise()
        if not channel.add(entry["path"], tag=entry.get("tag")):
            raise ChannelError(
                f"Apprise does not understand path number {number} of the Connection {CONN_ID!r}; "
                "expected an address such as slack://…, mailtos://… or json://…"
            )
        found.extend(channel)
    for plugin in found:
        plugin.overflow_mode = apprise.OverflowMode.TRUNCATE
    return found


def _sender(plugin: Any, name: str) -> Callable[..., None]:
    def send(title: str, text: str, *, is_test: bool = False) -> None:
        import apprise

        channel = apprise.Apprise()
        channel.add(plugin)
        kind = apprise.NotifyType.INFO if is_test else apprise.NotifyType.FAILURE
        capture: Any = apprise.LogCapture
        with capture(level=logging.WARNING, fmt="%(message)s") as said:
            taken = channel.notify(
                title=title, body=text, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
            )
            reason = said.getvalue()
        if not taken:
            clean = without_secrets(reason, plugin.url(privacy=False))[:REASON_CHARACTERS]
            raise ChannelError(f"{name} did not take the message: {clean or 'no reason given'}")

    return send


def without_secrets(text: str, address: str) -> str:
    """The text on one line, without the address and without any part of it that could be a secret.

    >>> without_secrets("refused: /hooks/T0KEN123 at example.org", "json://user:pa55word@example.org/hooks/T0KEN123")
    'refused: /hooks/*** at example.org'
    """
    text = " ".join(text.split()).replace(address, "***")
    host = re.sub(r"^[^:]+://([^/@]*@)?([^/:?]*).*$", r"\2", address, flags=re.DOTALL)
    parts = {
        part for part in re.split(r"[/:@?&=,]", address) if len(part) >= SHORTEST_SECRET and part != host
    }
    for part in sorted(parts | {unquote(part) for part in parts}, key=len, reverse=True):
        text = text.replace(part, "***")
    return text
