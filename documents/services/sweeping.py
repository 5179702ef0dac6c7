"""The walk through the archive: what is missing, what changed, what belongs to nobody."""

from documents.models import ArchiveSweep


def sweep_piece(sweep: ArchiveSweep) -> None:
    """The work of one lease: look at the next files, then proceed or finish."""
    raise NotImplementedError
