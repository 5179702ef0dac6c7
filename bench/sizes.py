"""How much is measured: `quick` for a look, `usual` for the table, `scale` for large numbers."""

import os
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Size:
    name: str
    rounds: int  # how often each thing is timed, beside what it is compared with
    turns: int  # of one and of two workers, who have to be started each time
    documents: int  # papers made one by one, of each length
    run: int  # statements that are made by workers, in one run
    planned: int  # statements of a run that is planned, and that others wait beside
    requests: int  # papers asked for by somebody who waits
    recomputed: int  # parties
    invoices: int  # behind the pages
    grown: int  # statements of the largest run of a growth curve

    steps: tuple[int, ...]  # of the growth curves: the largest is divided by these
    lines: tuple[int, ...]  # of the statements whose printing makes a curve


_TEN, _HUNDRED = ((10, 1), (10, 100)), ((100, 10, 1), (10, 100, 1_000))
TINY = Size("tiny", 1, 1, 2, 4, 100, 2, 100, 1_000, 200, *_HUNDRED)
QUICK = Size("quick", 2, 1, 8, 80, 800, 8, 1_000, 10_000, 80, *_TEN)
USUAL = Size("usual", 8, 3, 60, 600, 10_000, 60, 10_000, 100_000, 1_000, *_HUNDRED)
SCALE = Size("scale", 10, 3, 200, 10_000, 10_000, 200, 100_000, 1_000_000, 10_000, *_HUNDRED)
SIZES = {size.name: size for size in (TINY, QUICK, USUAL, SCALE)}


def size_named(name: str) -> Size:
    """BENCH_STATEMENTS, BENCH_INVOICES: another number of them, such as a run of 100,000."""
    size = SIZES[name]
    return replace(
        size,
        run=int(os.environ.get("BENCH_STATEMENTS", size.run)),
        invoices=int(os.environ.get("BENCH_INVOICES", size.invoices)),
    )
