"""The tasks of this app: ids in, one service called."""

from celery import shared_task

from billing.models import RecomputationChunk
from billing.services import recomputing
from worker.running import work_on


@shared_task(name=RecomputationChunk.task_name)
def recompute_chunk(chunk_id: str) -> str:
    return work_on(RecomputationChunk, chunk_id, recomputing.recompute_chunk)


@shared_task(name="billing.start_nightly_recomputation")
def start_nightly_recomputation() -> int:
    return recomputing.start_nightly_recomputation()
