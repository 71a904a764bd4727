"""The real Redis: a cache with time limits on its keys, saved to disk now and then."""

import os
import shutil
import signal

import redis

from tests.sandbox import processes
from tests.sandbox.passwords import passwords, write_private
from tests.sandbox.programs import program
from tests.sandbox.settings import Settings

NAME = "redis"
SYSTEM_USER = "redis"
"""Not root, for whom a folder is never unwritable: the fault redis_save_failing needs one that is."""

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
daemonize no
set-proc-title no
maxmemory 64mb
maxmemory-policy volatile-lru
maxclients 100
save 900 1 300 100
appendonly no
dir {folder}
"""


def start(settings: Settings) -> None:
    folder = settings.data_dir / NAME
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "redis.conf"
    if not processes.alive(settings, NAME):
        folder.chmod(0o700)  # a fault may have left it unwritable
        password = passwords(settings)[NAME]
        write_private(file, CONFIGURATION.format(port=settings.redis_port, password=password, folder=folder))
        if os.geteuid() == 0:
            for path in (folder, file):
                shutil.chown(path, SYSTEM_USER, SYSTEM_USER)
    processes.start(
        settings,
        NAME,
        [program("redis-server"), str(file)],
        port=settings.redis_port,
        user=SYSTEM_USER,
        cwd=folder,
        ready=lambda: _answers(settings),
    )


def stop(settings: Settings) -> bool:
    return processes.stop(settings, NAME, how=signal.SIGTERM)


def client(settings: Settings) -> redis.Redis:
    """A short-lived client; close it, or use it as a context manager."""
    return redis.Redis(
        host="127.0.0.1",
        port=settings.redis_port,
        password=passwords(settings)[NAME],
        socket_timeout=5,
        socket_connect_timeout=2,
        decode_responses=True,
    )


def _answers(settings: Settings) -> bool:
    try:
        with client(settings) as connection:
            return not connection.info("persistence")["loading"]  # PING is refused after a failed save
    except redis.exceptions.RedisError:
        return False
