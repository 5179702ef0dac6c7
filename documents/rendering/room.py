"""Room for Python's frames, so that no loop of a layout stands at the edge of it.

CPython keeps the frames of calls in pieces of 16 KB. It maps another one when a call does not fit
into the last, and unmaps it when that call returns. A loop that happens to stand at the end of a
piece does so for each of its calls: thousands of times a paper, for a tenth of its time, or never,
by how deep its caller was. A frame that is larger than a piece gets one of its own, of the next
power of two, and what is over there holds the frames of what it calls.
"""

from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")

# Half a mebibyte is asked for, of which no page is touched; the other half is the room.
_WORDS = 2**16


def with_room(call: Callable[[], ResultT]) -> ResultT:
    """What `call` returns; calls up to some hundreds deep in it need no memory to be mapped."""
    return call()


with_room.__code__ = with_room.__code__.replace(co_stacksize=_WORDS)
