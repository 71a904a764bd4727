"""A port that somebody else holds is reported with its holder and with the way out."""

import os
import socket
import threading

import pytest

from tests.sandbox import ports
from tests.sandbox.errors import SandboxError
from tests.sandbox.ports import Holder, check_ports_are_free


def test_a_busy_port_names_the_port_the_variable_and_the_holder():
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        port = foreign.getsockname()[1]
        with pytest.raises(SandboxError) as caught:
            check_ports_are_free({"redis_port": port})
    assert f"port {port} is in use by pid {os.getpid()} (" in str(caught.value)
    assert "choose another port with SANDBOX_REDIS_PORT=" in str(caught.value)


def test_a_port_of_a_process_that_is_just_ending_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    """Such a process has its sockets open and lists no files."""
    with socket.create_server(("127.0.0.1", 0)) as ending:
        monkeypatch.setattr(ports, "holder", lambda inode: Holder(0, ""))
        threading.Timer(0.5, ending.close).start()
        check_ports_are_free({"redis_port": ending.getsockname()[1]})


def test_all_busy_ports_are_reported_at_once():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        wanted = {"redis_port": one.getsockname()[1], "api_port": other.getsockname()[1]}
        with pytest.raises(SandboxError, match=r"(?s)SANDBOX_REDIS_PORT.*SANDBOX_API_PORT"):
            check_ports_are_free(wanted)


def test_one_port_for_two_parts_is_refused():
    with pytest.raises(SandboxError, match="wanted by SANDBOX_API_PORT and by SANDBOX_REDIS_PORT"):
        check_ports_are_free({"api_port": 1, "redis_port": 1})


def test_a_free_port_is_accepted():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        check_ports_are_free({"redis_port": free.getsockname()[1]})
