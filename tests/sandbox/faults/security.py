"""Faults that the security check looks for: what is served over TLS, what the scanner prints, who tries to get in."""

import http.client
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.sandbox import nginx_logs, parts, scanner, tls
from tests.sandbox.faults.fault import Fault, State
from tests.sandbox.faults.web import forget_bad_answers, stopped, wait_for_scrape
from tests.sandbox.issuer import Issuer
from tests.sandbox.settings import Settings

ATTACKER, IMPATIENT = "203.0.113.66", "203.0.113.77"
ATTEMPTS, REFUSALS = 1500, 1500
SERVED = "served"


def _serve(settings: Settings, names: list[str], age_days: int) -> None:
    """Let the listener serve another certificate than the one that was issued."""
    begins = datetime.now(UTC) - timedelta(days=age_days)
    Issuer(tls.folder(settings)).issue(SERVED, names, begins=begins)
    _restart(settings)


def tls_expired(settings: Settings, state: State) -> None:
    _serve(settings, ["doc-rag.example.com"], age_days=91)


def tls_other_name(settings: Settings, state: State) -> None:
    _serve(settings, ["ingress.local"], age_days=1)


def not_served(settings: Settings, state: State) -> None:
    for path in (tls.folder(settings) / SERVED).glob("*"):
        path.unlink()
    _restart(settings)


def _restart(settings: Settings) -> None:
    parts.part(tls.PART).stop(settings)
    parts.part(tls.PART).start(settings)


def results_old(settings: Settings, state: State) -> None:
    scanner.write(settings, scanned="9 days ago")


def results_broken(settings: Settings, state: State) -> None:
    scanner.write(settings, prints="FATAL: unable to open database: resource temporarily unavailable\n")


def results_healthy(settings: Settings, state: State) -> None:
    scanner.write(settings)


def guess_secrets(settings: Settings, state: State) -> None:
    """Ask with wrong tokens, from one address."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.api_port, timeout=10)
    for number in range(ATTEMPTS):
        headers = {"Authorization": f"Bearer guess-{number}", "X-Forwarded-For": ATTACKER}
        connection.request("GET", f"/documents/{number % 100 + 1}", headers=headers)
        connection.getresponse().read()
    connection.close()
    wait_for_scrape(settings)


def forget_guesses(settings: Settings, state: State) -> None:
    forget_bad_answers(settings, state["since"])
    for words in (ATTACKER, '"status": 401'):
        _forget_lines(settings, "api-*/logs/api.log", words)


def meet_the_limit(settings: Settings, state: State) -> None:
    """One client that asks far more often than it may."""
    log = nginx_logs.lines_of(settings)
    for number in range(REFUSALS):
        log.append(nginx_logs.limited(IMPATIENT, f"/documents/{number}"))
        log.append(nginx_logs.access(IMPATIENT, "GET", f"/documents/{number}", 503))


def forget_limit(settings: Settings, state: State) -> None:
    _forget_lines(settings, "nginx-*/logs/nginx.log", IMPATIENT)


def _forget_lines(settings: Settings, files: str, words: str) -> None:
    for path in settings.pods_dir.glob(f"doc-rag-prod/{files}"):
        kept = [line for line in path.read_text().splitlines(keepends=True) if words not in line]
        partial = Path(f"{path}.partial")
        partial.write_text("".join(kept))
        partial.replace(path)


FAULTS = (
    stopped("tls", what="nothing listens where users are served over TLS"),
    Fault("tls_expired", "what is served over TLS has expired yesterday", tls_expired, not_served),
    Fault(
        "tls_other_name", "what is served over TLS is made out to another name", tls_other_name, not_served
    ),
    Fault("scan_results_old", "the scanner prints a result of nine days ago", results_old, results_healthy),
    Fault(
        "scan_results_broken",
        "the scanner prints an error instead of a result",
        results_broken,
        results_healthy,
    ),
    Fault("auth_failures", f"{ATTEMPTS} wrong tokens from one address", guess_secrets, forget_guesses),
    Fault("rate_limited", f"one client meets the rate limit {REFUSALS} times", meet_the_limit, forget_limit),
)
