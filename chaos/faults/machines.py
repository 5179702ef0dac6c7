"""Servers and disks that go away, come back empty, hang, or are full."""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import RedisError

from chaos.faults.drawing import fault
from chaos.scene import Scene


@fault("broker: FLUSHALL", on="broker")
def flush(scene: Scene, chance: random.Random) -> None:
    with suppress(RedisError):
        scene.broker.client().flushall()


@fault("broker: killed", on="broker")
def kill_broker(scene: Scene, chance: random.Random) -> None:
    with _away(scene):
        time.sleep(chance.uniform(0.5, 3))


@fault("broker: back without its data", on="broker")
def restart_empty(scene: Scene, chance: random.Random) -> None:
    with _away(scene):
        time.sleep(chance.uniform(0.5, 2))
        scene.broker.forget()


@fault("broker: frozen", on="broker")
def freeze(scene: Scene, chance: random.Random) -> None:
    scene.broker.signal(signal.SIGSTOP)
    time.sleep(chance.uniform(2, 7))
    scene.broker.signal(signal.SIGCONT)


@fault("broker: full", on="broker")
def fill_broker(scene: Scene, chance: random.Random) -> None:
    """Every write is refused, and nothing is thrown away."""
    _limit(scene, 1)
    time.sleep(chance.uniform(1, 4))
    _limit(scene, 0)


@fault("database: immediate stop", on="database")
def crash_database(scene: Scene, chance: random.Random) -> None:
    scene.database.stop(signal.SIGQUIT)
    time.sleep(chance.uniform(0, 3))
    _start_database(scene)


@fault("database: restart", on="database")
def restart_database(scene: Scene, chance: random.Random) -> None:
    scene.database.stop(signal.SIGINT)
    _start_database(scene)


@fault("database: connections cut", on="database")
def cut_connections(scene: Scene, chance: random.Random) -> None:
    scene.database.cut_connections()


@fault("the archive's disk is full", on="disk")
def fill_disk(scene: Scene, chance: random.Random) -> None:
    scene.disk.fill()
    time.sleep(chance.uniform(1, 4))
    scene.disk.empty()


def _start_database(scene: Scene) -> None:
    """The fault is over when it takes connections again."""
    scene.database.wanted = True
    while not scene.database.is_up():
        time.sleep(0.1)


@contextmanager
def _away(scene: Scene) -> Iterator[None]:
    scene.broker.kill()
    try:
        yield
    finally:
        scene.broker.wanted = True


def _limit(scene: Scene, limit: int) -> None:
    for _ in range(20):
        with suppress(RedisError):
            scene.broker.client().config_set("maxmemory", limit)
            return
        time.sleep(0.5)
