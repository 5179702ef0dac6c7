"""However deep a paper's maker stands, no loop of it maps and unmaps memory at each call."""

import resource
import sys

import pytest

from documents.rendering.room import with_room

CALLS = 500
DEPTHS = range(0, 300, 2)


def faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def nothing():
    return None


nothing.__code__ = nothing.__code__.replace(co_stacksize=400)  # as a large function's


def loop() -> int:
    """How often memory was mapped anew in it."""
    before = faults()
    for _ in range(CALLS):
        nothing()
    return faults() - before


def at_depth(depth, call):
    return at_depth(depth - 1, call) if depth else call()


def worst(call) -> int:
    loop()
    return max(at_depth(depth, call) for depth in DEPTHS)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="of this CPython's frames")
def test_control_somewhere_each_call_does():
    assert worst(loop) >= CALLS


def test_with_room_none_does():
    assert worst(lambda: with_room(loop)) < CALLS // 10


def test_a_layout_may_be_deep_in_it():
    assert with_room(lambda: at_depth(250, lambda: worst(loop))) < CALLS // 10


def test_it_returns_and_raises_what_the_call_does():
    assert with_room(lambda: "paper") == "paper"
    with pytest.raises(ZeroDivisionError):
        with_room(lambda: 1 / 0)
