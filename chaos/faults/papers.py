"""Papers that harm who makes them. Each is over when it has failed for good, with a reason."""

import random
import time
from uuid import UUID, uuid4

from accounts.models import Company
from chaos.faults.drawing import fault
from chaos.persisting import persist
from chaos.scene import Scene
from documents.models import Document
from documents.services.requests import request_document
from tests.worker.faults.kinds import faulty_paper

POISONED: list[UUID] = []
_FINAL = ("ready", "failed", "cancelled")


@fault("a paper that kills its worker", on="paper", is_long=True)
def kills(scene: Scene, chance: random.Random) -> None:
    _ask_for("kill")


@fault("a paper that never ends", on="paper", is_long=True)
def never_ends(scene: Scene, chance: random.Random) -> None:
    _ask_for("spin")


@fault("a paper that eats memory", on="paper", is_long=True)
def eats(scene: Scene, chance: random.Random) -> None:
    _ask_for("eat")


def ask_for_paper(word: str = "", queue: str = "interactive") -> Document:
    """A small paper of its own, really rendered: with no word a sound one, made at once."""
    paper = faulty_paper(0, word, run=str(uuid4()))
    return persist(lambda: request_document(company=company(), paper=paper, by=None, queue=queue))


def company() -> Company:
    return Company.objects.get(slug="chaos")


def _ask_for(word: str) -> None:
    document = ask_for_paper(word)
    POISONED.append(document.pk)
    while not persist(lambda: is_final(document.pk)):
        time.sleep(0.5)


def is_final(pk: UUID) -> bool:
    return Document._base_manager.filter(pk=pk, state__in=_FINAL).exists()
