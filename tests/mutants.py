"""A pytest plugin for mutation runs: each run has a place of those that `bin/mutation` made, a
database and a virtual host of the broker, for itself.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from hypothesis import settings
from pytest_django.plugin import DjangoDbBlocker

from tests.servers import at_virtual_host

# The machine is shared and the mutants many: neither a slow moment nor chance is a verdict.
settings.register_profile(
    "mutants", deadline=None, derandomize=True, database=None, max_examples=25
)
settings.load_profile("mutants")

PLACES = "PRESSROOM_MUTATION_PLACES"  # an environment variable: a folder with a file for each


def database_of(place: int) -> str:
    return f"place_{place}"


def pytest_configure(config: pytest.Config) -> None:
    # Of two fixtures of a name the later plugin's counts, and `-p` comes before pytest-django.
    config.pluginmanager.register(_Places(), "mutants' places")


class _Places:
    @pytest.fixture(scope="session")
    @classmethod
    def django_db_setup(cls, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
        """A mutant that was stopped in mid-test leaves rows that no rollback takes back."""
        with _free_place() as place:
            connection.settings_dict["NAME"] = database_of(place)
            url = at_virtual_host(os.environ["CELERY_BROKER_URL"], place)
            os.environ["CELERY_BROKER_URL"] = url
            with django_db_blocker.unblock():
                if apps.get_model("accounts", "Company")._base_manager.exists():
                    call_command("flush", verbosity=0, interactive=False)
            yield


@contextmanager
def _free_place() -> Iterator[int]:
    """The number of a place that no other run has; free again when this process ends, however."""
    while True:
        for file in Path(os.environ[PLACES]).iterdir():
            with file.open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield int(file.name)
                return
        time.sleep(0.05)
