"""The engine of a process, from its building to the end of the process."""

import subprocess
import sys

import pytest

# Exit handlers run in reverse order: the look comes after what the engine registered.
RENDER_AND_END = """
import atexit, gc
import django

def look():
    from weasyprint.text.fonts import FontConfiguration
    gc.unfreeze()
    print(sum(isinstance(one, FontConfiguration) for one in gc.get_objects()), "left")

atexit.register(look)
django.setup()
from documents.rendering import render
page = "<html lang='en'><head><title>-</title></head><body><p>Aa</p></body></html>"
print(render(html=page, assets={}).pages, "page")
"""


@pytest.mark.parametrize("then", ["", "gc.freeze()"])
def test_nothing_of_it_is_left_when_its_libraries_are_unloaded(then):
    """Also where the collector was told, as in a worker's child, to leave alone what was loaded."""
    ended = subprocess.run(
        [sys.executable, "-c", RENDER_AND_END + then], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout.split()) == (0, ["1", "page", "0", "left"])
