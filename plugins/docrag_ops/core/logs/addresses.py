"""The address of whoever did it, in fields and sentences of log lines."""

from __future__ import annotations

import ipaddress
import re

_SOURCE = re.compile(
    r"\b(?:client|from|ip|addr|address|remote|peer|rhost|src|source)[\w.]*[ =:\"]+\[?([0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]+)"
)
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w.])"
)

_OURS = [
    ipaddress.ip_network(one)
    for one in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
]


def address_in(text: str) -> str:
    """The address that a field holds, without port and brackets; of a list (X-Forwarded-For) the first.

    >>> address_in("203.0.113.7:51234"), address_in("[2001:db8::1]:443"), address_in("198.51.100.2, 10.0.0.1")
    ('203.0.113.7', '2001:db8::1', '198.51.100.2')
    >>> address_in("unix:")
    ''
    """
    first = text.split(",", 1)[0].strip().strip('"')
    if first.startswith("["):
        first = first[1:].partition("]")[0]
    elif first.count(":") == 1:
        first = first.partition(":")[0]
    try:
        address = ipaddress.ip_address(first.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def client_of(source: str, forwarded: str) -> str:
    """Who asked, when a proxy of our own passed it on: the last address of X-Forwarded-For that is not ours.

    Those before it are what the client itself says.

    >>> client_of("10.0.0.1", "1.2.3.4, 203.0.113.7, 10.0.0.9"), client_of("203.0.113.7", "1.2.3.4")
    ('203.0.113.7', '203.0.113.7')
    """
    if source and not is_ours(source):
        return source
    passed_on = [address for one in forwarded.split(",") if (address := address_in(one))]
    return next((one for one in reversed(passed_on) if not is_ours(one)), source or address_in(forwarded))


def is_ours(text: str) -> bool:
    """Whether an address is of a private network, as pods, proxies and load balancers have.

    >>> is_ours("10.244.1.7"), is_ours("203.0.113.7")
    (True, False)
    """
    address = ipaddress.ip_address(text)
    return any(address in network for network in _OURS if network.version == address.version)


def source_in(message: str) -> str:
    """The address that a sentence names as the source, else the first that it names at all."""
    named = [address_in(found[1].rstrip(".:")) for found in _SOURCE.finditer(message)]
    anywhere = (address_in(found[0]) for found in _ADDRESS.finditer(message))
    return next(filter(None, named), "") or next(filter(None, anywhere), "")
