"""The bound on what a paper may take, in a process of its own."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import resource, django
django.setup()
from documents.rendering import bound_memory
bound_memory()
try:
    eaten = b"x" * (60 * 2**20)
except MemoryError:
    print("refused")
else:
    print("taken")
eaten = None
print(len(b"x" * (10 * 2**20)))
"""
HARD = "resource.setrlimit(resource.RLIMIT_DATA, ({most}, {most}))"


@pytest.mark.parametrize(
    ("megabytes", "said"), [("40", "refused"), ("200", "taken"), ("0", "taken")]
)
def test_a_process_gets_so_much_beyond_what_it_holds_and_goes_on(megabytes, said):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PRESSROOM_RENDER_MEMORY_MB": megabytes,
    }
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [said, str(10 * 2**20)]


def test_it_asks_for_no_more_than_the_machine_allows():
    """Which would be an error, and the end of every paper."""
    most = 2 * 2**30
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PRESSROOM_RENDER_MEMORY_MB": "100000",
    }
    run = subprocess.run(
        [sys.executable, "-c", f"import resource; {HARD.format(most=most)}{SCRIPT}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["taken", str(10 * 2**20)]
