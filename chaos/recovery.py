"""How long it takes until all is as before: measured for each fault, from its end."""

import random
import time
from dataclasses import dataclass
from threading import Thread
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection

from chaos.faults import Fault
from chaos.faults.papers import ask_for_paper, is_final
from chaos.scene import Scene
from worker.leasing import LeasedWork, WorkState, leased_models

_GIVEN_UP_AFTER = 150.0  # seconds
_OPEN = (WorkState.QUEUED, WorkState.RUNNING)
# By kind of work: which rows, and the token under which each was being worked on.
InHand = dict[type[LeasedWork], dict[Any, UUID | None]]


@dataclass
class Struck:
    """One fault. `recovery`: seconds from its end until what was in hand when it began, and when it
    ended, was finished or begun anew, and a paper that was asked for at its end was there.
    """

    fault: Fault
    round: int
    lasted: float = 0.0
    recovery: float | None = None
    probe: float | None = None


class Strike(Thread):
    """Waits a moment, strikes, and watches what comes after."""

    def __init__(self, scene: Scene, fault: Fault, chance: random.Random, number: int) -> None:
        super().__init__(daemon=True, name=fault.name)
        self.struck = Struck(fault, number)
        self._scene, self._fault, self._chance = scene, fault, chance
        self.trouble = ""

    def run(self) -> None:
        time.sleep(self._chance.uniform(0, 2))
        try:
            with self._fault.lock:
                self._strike()
        except Exception as error:  # noqa: BLE001  the harness itself: reported, and fails the run
            self.trouble = f"{self._fault.name}: {error!r}"
        finally:
            connection.close()

    def _strike(self) -> None:
        in_hand = _in_hand()
        began = time.monotonic()
        self._fault.act(self._scene, self._chance)
        ended = time.monotonic()
        self.struck.lasted = ended - began
        self._watch(in_hand, ended)

    def _watch(self, in_hand: InHand, ended: float) -> None:
        probe = ask_for_paper()
        _add(in_hand, _in_hand())
        while time.monotonic() - ended < _GIVEN_UP_AFTER:
            try:
                if self.struck.probe is None and is_final(probe.pk):
                    self.struck.probe = time.monotonic() - ended
                in_hand = _left(in_hand)
            except (DatabaseError, InterfaceError):
                connection.close()
            if self.struck.probe is not None and not any(in_hand.values()):
                self.struck.recovery = time.monotonic() - ended
                return
            time.sleep(0.1)


def _in_hand() -> InHand:
    """Empty where the database is away."""
    try:
        return {
            model: dict(
                model._base_manager.filter(state=WorkState.RUNNING).values_list("pk", "token")
            )
            for model in leased_models()
        }
    except (DatabaseError, InterfaceError):
        connection.close()
        return {}


def _add(these: InHand, those: InHand) -> None:
    for model, rows in those.items():
        these.setdefault(model, {}).update(rows)


def _left(in_hand: InHand) -> InHand:
    """What is neither final, nor in somebody's hands anew, nor put off with a reason."""
    left: InHand = {}
    for model, tokens in in_hand.items():
        rows = model._base_manager.filter(pk__in=list(tokens), state__in=_OPEN)
        left[model] = {
            pk: tokens[pk]
            for pk, token, failure, state in rows.values_list("pk", "token", "failure", "state")
            if token == tokens[pk] or (state == WorkState.QUEUED and not failure)
        }
    return left


def open_work() -> int:
    """All that is not final: to be waited for at the end."""
    return sum(model._base_manager.filter(state__in=_OPEN).count() for model in leased_models())
