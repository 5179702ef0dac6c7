"""The list of faults, and how they are drawn."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock

from chaos.scene import Scene

Act = Callable[[Scene, random.Random], None]


@dataclass(frozen=True)
class Fault:
    """`target`: what it breaks; of two that break the same one waits for the other.

    `is_long`: it goes on for a while beside others, as a paper that kills whoever makes it.
    """

    name: str
    target: str
    act: Act
    is_long: bool = False
    lock: Lock = field(default_factory=Lock, compare=False)


FAULTS: dict[str, Fault] = {}
_locks: dict[str, Lock] = {}


def fault(name: str, *, on: str, is_long: bool = False) -> Callable[[Act], Act]:
    def register(act: Act) -> Act:
        lock = Lock() if is_long else _locks.setdefault(on, Lock())
        FAULTS[name] = Fault(name, on, act, is_long, lock)
        return act

    return register


def deck(chance: random.Random, only: tuple[str, ...] = ()) -> Iterator[Fault]:
    """Without an end, each kind as often as any other: a pack is used up before the next."""
    names = [name for name in FAULTS if not only or name in only]
    while True:
        chance.shuffle(names)
        yield from (FAULTS[name] for name in names)
