"""The engine of a process, from its building to the end of the process."""

import subprocess
import sys

# Exit handlers run in reverse order: the look comes after what the engine registered.
RENDER_AND_END = """
import atexit, gc
import django

def look():
    from weasyprint.text.fonts import FontConfiguration
    print(sum(isinstance(one, FontConfiguration) for one in gc.get_objects()), "left")

atexit.register(look)
django.setup()
from documents.rendering import render
page = "<html lang='en'><head><title>-</title></head><body><p>Aa</p></body></html>"
print(render(html=page, assets={}).pages, "page")
"""


def test_nothing_of_it_is_left_when_its_libraries_are_unloaded():
    ended = subprocess.run(
        [sys.executable, "-c", RENDER_AND_END], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout.split()) == (0, ["1", "page", "0", "left"])
