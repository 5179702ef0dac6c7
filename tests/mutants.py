"""A pytest plugin for mutation runs: every mutant's run shares the database `bin/mutation` made."""

import pytest
from django.apps import apps
from django.core.management import call_command
from hypothesis import settings

# The machine is shared and the mutants many: neither a slow moment nor chance is a verdict.
settings.register_profile(
    "mutants", deadline=None, derandomize=True, database=None, max_examples=25
)
settings.load_profile("mutants")


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker) -> None:
    """A mutant that was stopped in mid-test leaves rows that no rollback takes back."""
    with django_db_blocker.unblock():
        if apps.get_model("accounts", "Company")._base_manager.exists():
            call_command("flush", verbosity=0, interactive=False)
