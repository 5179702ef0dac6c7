"""Before Django is set up: where database, broker and files are."""

import os
from contextlib import ExitStack
from pathlib import Path

from tests import servers
from worker.embedded import EmbeddedBroker

# Writes as a real one does; the memory is a small server's.
POSTGRESQL = {
    **servers.SETTINGS,
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}


def begin(stack: ExitStack, folder: Path) -> None:
    """Start what is missing, and say where it is."""
    folder.chmod(0o711)  # root runs PostgreSQL as somebody else
    os.environ["PRESSROOM_VAR_DIR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if "DATABASE_URL" not in os.environ:
        (folder / "postgresql").mkdir()
        url = stack.enter_context(servers.postgresql(folder / "postgresql", POSTGRESQL))
        os.environ["DATABASE_URL"] = url
    broker = stack.enter_context(EmbeddedBroker(folder / "broker"))
    os.environ["CELERY_BROKER_URL"] = broker.url
