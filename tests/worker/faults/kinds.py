"""A kind of paper that misbehaves when it is asked to, and a run of many of them."""

from collections.abc import Iterator
from uuid import NAMESPACE_URL, UUID, uuid5

from documents.models import Batch
from documents.papers import Paper, PaperKind, Planned, RunKind, register_paper, register_run

FAULTY = PaperKind(name="faulty", label="Faulty", template="faults/paper.html", version=1)


def faulty_paper(number: int, fault: str = "", *, run: str = "") -> Paper:
    """The paper of party `number`; `fault` as in the template tag `misbehave`."""
    subject: UUID = uuid5(NAMESPACE_URL, f"{run}/{number}")
    snapshot = {
        "locale": "en_GB",
        "company": {"logo": None},
        "party": {"name": f"Customer {run} {number}"},
        "fault": fault,
    }
    return Paper(
        kind=FAULTY,
        snapshot=snapshot,
        locale="en_GB",
        title=f"Paper {run} {number}",
        subject_id=subject,
        recipient_id=subject,
        recipient_code=f"{number:03}",
        recipient_name=f"Customer {number}",
    )


def plan(batch: Batch) -> Iterator[Planned]:
    """`parameters`: how many, which misbehave ({"3": "kill"}) and which are left out ([5])."""
    faults = batch.parameters.get("faults", {})
    skipped = batch.parameters.get("skipped", [])
    for number in range(batch.parameters["count"]):
        paper = faulty_paper(number, faults.get(str(number), ""), run=batch.title)
        left_out = number in skipped
        yield Planned(
            subject_id=paper.subject_id,
            code=paper.recipient_code,
            name=paper.recipient_name,
            paper=None if left_out else paper,
            skipped_reason="Nothing to tell." if left_out else "",
        )


FAULTY_RUN = RunKind(name="faulty", label="Faulty run", plan=plan)


def register() -> None:
    register_paper(FAULTY)
    register_run(FAULTY_RUN)
