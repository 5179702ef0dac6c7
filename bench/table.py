"""`python -m bench table`: the figures of bench/results, written into docs/performance.md.

Only what stands between the two markers is written; the pictures lie in docs/images.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.picture import picture
from bench.report import RESULTS

_ROOT = Path(__file__).resolve().parent.parent
PAGE = _ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
_TITLES = {
    "pipeline": "1. The pipeline over the bare engine",
    "papers": "2. Papers against other ways to a PDF",
    "run": "3. A run of statements",
    "interactive": "4. Waiting for one paper",
    "recompute": "5. Recomputing balances",
    "pages": "6. Pages",
    "growth": "7. Growth",
    "scaling": "More workers",
}

Facts = dict[str, Any]


def write() -> None:
    """Raises ValueError where the page has no markers."""
    text = PAGE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no place for the table: {BEGIN} and {END}.")
    block = "\n".join(block_of(list(_results())))
    PAGE.write_text(f"{before}{BEGIN}\n{block}\n{END}{after}", encoding="utf-8")


def _results() -> Iterator[Facts]:
    for question in _TITLES:
        path = RESULTS / f"{question}.json"
        if path.exists():
            facts = json.loads(path.read_text(encoding="utf-8"))
            if "bars" in facts and facts["size"]["name"] != "tiny":
                yield facts


def block_of(results: list[Facts]) -> list[str]:
    return [
        "### Bars",
        "",
        "| question | what | measured | bar | |",
        "|---|---|---:|---|---|",
        *(row for facts in results for row in _bars(facts)),
        "",
        *(line for facts in results for line in _section(facts)),
    ]


def _bars(facts: Facts) -> Iterator[str]:
    for bar in facts["bars"]:
        value = "" if bar["value"] is None else f"{bar['value']:g}"
        verdict = f"{bar['verdict']} ({bar['why']})" if bar["why"] else bar["verdict"]
        yield f"| {facts['question']} | {bar['name']} | {value} | {bar['bar']} | {verdict} |"


def _section(facts: Facts) -> Iterator[str]:
    yield f"### {_TITLES[facts['question']]}"
    yield ""
    yield _origin(facts)
    yield ""
    yield from lines_of(facts["figures"])
    for curve in facts["curves"]:
        yield from _curve(curve)


def lines_of(figures: Facts) -> Iterator[str]:
    """Figures named `thing: part` in one table, if several things have the same parts; the others
    in a list before it.
    """
    things: dict[str, Facts] = {}
    for name, value in figures.items():
        thing, colon, part = name.partition(": ")
        if colon:
            things.setdefault(thing, {})[part] = value
    alike: dict[tuple[str, ...], Facts] = {}
    for thing, parts in things.items():
        alike.setdefault(tuple(parts), {})[thing] = parts
    tables = {parts: them for parts, them in alike.items() if len(them) > 1}
    told = {
        f"{thing}: {part}" for parts, them in tables.items() for thing in them for part in parts
    }
    rows = [[name, value] for name, value in figures.items() if name not in told]
    yield from _table(["", ""], rows)
    for parts, them in tables.items():
        if len(parts) > len(them):  # the longer side is the one that goes down
            yield from _table(["", *them], [[p, *(it[p] for it in them.values())] for p in parts])
        else:
            yield from _table(["", *parts], [[name, *it.values()] for name, it in them.items()])


def _table(head: list[str], rows: list[list[Any]]) -> Iterator[str]:
    if rows:
        yield f"|{''.join(f' {name} |' if name else ' |' for name in head)}"
        yield f"|---|{'---:|' * (len(head) - 1)}"
        yield from (f"| {' | '.join(map(str, row))} |" for row in rows)
        yield ""


def _origin(facts: Facts) -> str:
    load, versions = facts["load"], facts["versions"]
    names = ", ".join(f"{name} {number}" for name, number in versions.items())
    return (
        f"`{facts['command']}`, {facts['date'][:16].replace('T', ' ')} UTC, {facts['machine']}, "
        f"Python {facts['python']}, {names}. "
        f"Load of the machine: {load['before']} before, {load['after']} after."
    )


def _curve(curve: Facts) -> Iterator[str]:
    path = PAGE.parent / "images" / f"growth-{_slug(curve['name'])}.svg"
    path.parent.mkdir(exist_ok=True)
    drawn = picture(**{**curve, "points": [tuple(point) for point in curve["points"]]})
    path.write_text(drawn, encoding="utf-8")
    told = ", ".join(f"{y:g} s at {x:,g}" for x, y in curve["points"])
    yield f"![{curve['name']}, by {curve['x']}: {told}](images/{path.name})"
    yield ""


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
