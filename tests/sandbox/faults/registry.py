"""Turning faults on and off. A fault that is on has a file `.sandbox/faults/NAME.json` with what undoes it."""

import difflib
import json
import time
from pathlib import Path

from tests.sandbox.errors import SandboxError
from tests.sandbox.faults import backups, cache, cluster, monitoring, postgres, security, volumes, web
from tests.sandbox.passwords import write_private
from tests.sandbox.settings import Settings

FAULTS = {
    fault.name: fault
    for module in (web, postgres, cache, volumes, monitoring, security, backups)
    for fault in module.FAULTS
}


FAILURES = (SandboxError, OSError, *postgres.ERRORS, *cache.ERRORS, *backups.ERRORS)


def turn_on(settings: Settings, name: str) -> None:
    """Break something. Already broken: nothing happens. Not broken in the end: what was done is undone."""
    if name not in FAULTS:
        _cluster_fault(settings, name, on=True)
        return
    if name in active(settings):
        return
    try:
        state = FAULTS[name].before(settings)
        _remember(settings, name, state)
        FAULTS[name].on(settings, state)
    except FAILURES as error:
        left = _try_off(settings, name)
        raise SandboxError(f"The fault {name} could not be caused: {_text(error)}. {left}".strip()) from error


def turn_off(settings: Settings, name: str) -> None:
    """Undo a fault that is on; one that is not is left alone."""
    if name not in FAULTS:
        _cluster_fault(settings, name, on=False)
        return
    since = active(settings)
    if name in since:
        state = json.loads(_path(settings, name).read_text())["state"]
        FAULTS[name].off(settings, {**state, "since": since[name]})
        _path(settings, name).unlink()


def turn_all_off(settings: Settings, *, before_down: bool = False) -> list[str]:
    """Undo everything; returns what could not be undone, its server being gone, say."""
    failed = []
    for name in active(settings):
        if before_down and FAULTS[name].dies_with_down:
            _path(settings, name).unlink()
            continue
        failed += [left] if (left := _try_off(settings, name)) else []
    turn_cluster_faults_off(settings)
    return failed


def turn_cluster_faults_off(settings: Settings) -> None:
    for name in cluster.active(settings):
        cluster.switch(settings, name, on=False)


def _try_off(settings: Settings, name: str) -> str:
    """Turn off; what is in the way, or an empty text."""
    try:
        turn_off(settings, name)
    except FAILURES as error:
        return f"The fault {name} could not be undone: {_text(error)}; the next `up` does it"
    return ""


def _text(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__


def active(settings: Settings) -> dict[str, float]:
    """Real faults that are on → since when."""
    found = {}
    for path in sorted((settings.state_dir / "faults").glob("*.json")):
        if path.stem in FAULTS:
            found[path.stem] = float(json.loads(path.read_text())["since"])
    return found


def _cluster_fault(settings: Settings, name: str, *, on: bool) -> None:
    known = cluster.known(settings)
    if name not in known:
        close = difflib.get_close_matches(name, [*FAULTS, *known], n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "`faults` lists them"
        raise SandboxError(f"There is no fault {name!r}; {hint}")
    cluster.switch(settings, name, on=on)


def _remember(settings: Settings, name: str, state: object) -> None:
    _path(settings, name).parent.mkdir(parents=True, exist_ok=True)
    write_private(_path(settings, name), json.dumps({"since": time.time(), "state": state}))


def _path(settings: Settings, name: str) -> Path:
    return settings.state_dir / "faults" / f"{name}.json"
