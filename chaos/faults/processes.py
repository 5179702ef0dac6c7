"""Processes of ours that are killed, stopped, or there twice."""

import os
import random
import signal
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

from django.db import DatabaseError, InterfaceError

from chaos.faults.drawing import fault
from chaos.scene import Scene
from chaos.services import Service
from documents.models import Document, DocumentState

_TRIES = 40


@fault("kill a prefork child", on="worker")
def kill_child(scene: Scene, chance: random.Random) -> None:
    """One that has something in hand, if any has."""
    _kill(_busy_child(scene, chance))


@fault("kill a whole worker", on="worker")
def kill_worker(scene: Scene, chance: random.Random) -> None:
    chance.choice(scene.workers).kill()


@fault("kill a worker's parent", on="worker")
def kill_parent(scene: Scene, chance: random.Random) -> None:
    """Its children are left behind in the middle of what they do."""
    _kill(chance.choice(scene.workers).pid)


@fault("kill the dispatcher", on="dispatcher")
def kill_dispatcher(scene: Scene, chance: random.Random) -> None:
    scene.dispatcher.kill()


@fault("kill beat", on="beat")
def kill_beat(scene: Scene, chance: random.Random) -> None:
    scene.beat.kill()


@fault("kill a web process in mid-request", on="web")
def kill_web_process(scene: Scene, chance: random.Random) -> None:
    """A few requests are under way for certain; others may be."""
    for _ in range(3):
        threading.Thread(target=_ask, args=[scene.web_port], daemon=True).start()
    time.sleep(chance.uniform(0.005, 0.05))
    _kill_one(scene.web, chance)


@fault("kill the whole web", on="web")
def kill_web(scene: Scene, chance: random.Random) -> None:
    scene.web.kill()


@fault("stop and continue a worker", on="worker")
def stop_worker(scene: Scene, chance: random.Random) -> None:
    """For longer than a lease, so that what it holds is given to another meanwhile."""
    busy = _busy_child(scene, chance)
    service = next((it for it in scene.workers if busy in it.children()), scene.workers[0])
    service.signal(signal.SIGSTOP)
    time.sleep(_more_than_a_lease(scene, chance))
    service.signal(signal.SIGCONT)


@fault("stop and continue a child", on="worker")
def stop_child(scene: Scene, chance: random.Random) -> None:
    pid = _busy_child(scene, chance)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(_more_than_a_lease(scene, chance))
        os.kill(pid, signal.SIGCONT)


@fault("stop and continue the dispatcher", on="dispatcher")
def stop_dispatcher(scene: Scene, chance: random.Random) -> None:
    scene.dispatcher.signal(signal.SIGSTOP)
    time.sleep(chance.uniform(1, 4))
    scene.dispatcher.signal(signal.SIGCONT)


@fault("two dispatchers", on="dispatcher-2")
def two_dispatchers(scene: Scene, chance: random.Random) -> None:
    _for_a_while(scene.dispatcher_2, chance.uniform(3, 6))


@fault("two beats", on="beat-2")
def two_beats(scene: Scene, chance: random.Random) -> None:
    _for_a_while(scene.beat_2, chance.uniform(5, 8))


@fault("a clock an hour off", on="clock")
def wrong_clock(scene: Scene, chance: random.Random) -> None:
    """Of a second dispatcher or beat. A worker with such a clock refuses to start: tests/worker."""
    if scene.wrong:
        _for_a_while(chance.choice(scene.wrong), chance.uniform(4, 7))


def _for_a_while(service: Service, seconds: float) -> None:
    service.wanted = True
    time.sleep(seconds)
    service.wanted = False


def _more_than_a_lease(scene: Scene, chance: random.Random) -> float:
    return scene.options.lease + chance.uniform(0.5, 3)


def _busy_child(scene: Scene, chance: random.Random) -> int | None:
    """A child of a worker, with a lease; after a while without one, any."""
    children = [pid for service in scene.workers for pid in service.children()]
    for _ in range(_TRIES):
        with suppress(DatabaseError, InterfaceError):
            running = Document._base_manager.filter(state=DocumentState.RUNNING)
            names = running.values_list("claimed_by", flat=True)
            busy = sorted({int(name.rpartition(":")[2]) for name in names} & set(children))
            if busy:
                return chance.choice(busy)
        time.sleep(0.05)
    return chance.choice(children) if children else None


def _kill_one(service: Service, chance: random.Random) -> None:
    children = service.children()
    if children:
        _kill(chance.choice(children))


def _kill(pid: int | None) -> None:
    with suppress(ProcessLookupError):
        if pid:
            os.kill(pid, signal.SIGKILL)


def _ask(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    with suppress(OSError, HTTPException):
        connection.request("GET", "/accounts/sign-in/")
        connection.getresponse().read()
    connection.close()
