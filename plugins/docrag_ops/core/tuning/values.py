"""Values of PostgreSQL's settings: read as the server reads them, held against its bounds, written as people do.

Source: https://www.postgresql.org/docs/15/config-setting.html and the view pg_settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"^\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*([A-Za-z]*)\s*$")
_MEMORY = {"B": 1.0, "kB": 2.0**10, "MB": 2.0**20, "GB": 2.0**30, "TB": 2.0**40}
_TIME = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BOOLEANS = {"on": "on", "true": "on", "yes": "on", "1": "on"} | dict.fromkeys(
    ("off", "false", "no", "0"), "off"
)
NOT_IN_FILE = "(not set)"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A row of pg_settings, and what postgresql.auto.conf says of it.

    :param value: in `unit`, as the server writes it
    :param in_file: the value that ALTER SYSTEM left; empty when it left none
    :param overrides: roles and databases that have a value of their own, in words
    """

    name: str
    value: str
    unit: str = ""
    kind: str = "string"
    context: str = "sighup"
    least: str = ""
    most: str = ""
    choices: tuple[str, ...] = ()
    source: str = "default"
    pending_restart: bool = False
    in_file: str = ""
    overrides: str = ""

    @property
    def fingerprint(self) -> dict[str, str]:
        """What must still be so when the setting is changed."""
        return {"value": self.value, "postgresql.auto.conf": self.in_file or NOT_IN_FILE}

    @property
    def number(self) -> float:
        """The value in bytes, seconds, or as it is."""
        return float(self.value) * factor(self.unit)


def factor(unit: str) -> float:
    """How many bytes or seconds one of a unit of pg_settings is.

    >>> factor("8kB"), factor("ms"), factor("")
    (8192.0, 0.001, 1.0)
    """
    digits = re.match(r"\d*", unit)
    count = digits.group() if digits else ""
    return float(count or 1) * {**_MEMORY, **_TIME, "": 1.0}[unit[len(count) :]]


def canonical(setting: Setting, text: str) -> str:
    """A value as pg_settings would show it.

    >>> canonical(Setting(name="work_mem", value="4096", unit="kB", kind="integer"), "64MB")
    '65536'

    :raises ValueError: when the server would not take it, in words
    """
    if setting.kind == "bool":
        if text.strip().lower() not in _BOOLEANS:
            raise ValueError(f"{text!r} is neither on nor off")
        return _BOOLEANS[text.strip().lower()]
    if setting.kind == "enum":
        return _choice(setting, text)
    return _number(setting, text) if setting.kind in ("integer", "real") else text


def _choice(setting: Setting, text: str) -> str:
    for choice in setting.choices:
        if choice.lower() == text.strip().lower():
            return choice
    raise ValueError(f"{text!r} is none of: {', '.join(setting.choices)}")


def _number(setting: Setting, text: str) -> str:
    found = _NUMBER.match(text)
    if not found:
        raise ValueError(f"{text!r} is no number with a unit, e.g. 64MB")
    amount, unit = float(found[1]), found[2]
    if unit:
        units = next((one for one in (_MEMORY, _TIME) if unit in one), {})
        if not units or setting.unit.lstrip("0123456789") not in units:
            raise ValueError(
                f"{text!r} has the unit {unit!r}, which does not fit {setting.unit or 'a plain number'}"
            )
        amount = amount * units[unit] / factor(setting.unit)
    if setting.least and amount < float(setting.least):
        raise ValueError(f"{text} is less than the server's least, {written(setting, setting.least)}")
    if setting.most and amount > float(setting.most):
        raise ValueError(f"{text} is more than the server's most, {written(setting, setting.most)}")
    return str(round(amount)) if setting.kind == "integer" else f"{amount:g}"


def same(setting: Setting, one: str, other: str) -> bool:
    """Whether two values mean the same to the server."""
    try:
        first, second = canonical(setting, one), canonical(setting, other)
    except ValueError:
        return one == other
    if setting.kind in ("integer", "real"):
        return float(first) == float(second)
    return first == second


FILE_SOURCES = ("default", "configuration file")


def waits_for_reload(setting: Setting | None, in_file: str) -> bool:
    """Whether a value in the files would come into effect with a reload, and is not in effect."""
    if setting is None or setting.context in ("postmaster", "internal") or setting.source not in FILE_SOURCES:
        return False
    return not same(setting, setting.value, in_file)


def written(setting: Setting, value: str) -> str:
    """A value of pg_settings as people write it.

    >>> written(Setting(name="work_mem", value="4096", unit="kB", kind="integer"), "65536")
    '64MB'
    """
    if setting.kind not in ("integer", "real") or not setting.unit or float(value) < 0:
        return value
    amount = float(value) * factor(setting.unit)
    units = _MEMORY if setting.unit.lstrip("0123456789") in _MEMORY else _TIME
    for unit, size in reversed(units.items()):
        if amount >= size and abs(amount / size - round(amount / size)) < 1e-9:
            return f"{amount / size:.0f}{unit}"
    return f"{value}{setting.unit}" if not setting.unit[0].isdigit() else value
