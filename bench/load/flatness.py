"""Is it flat? A line is fitted to what was held after the warm-up; how far it climbed is what grew.

What may grow: nothing beyond a little noise, but tables in which work is entered (and then not the
bytes a row), dead rows up to where PostgreSQL's vacuum starts, and the children of a worker up to
where they are replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Looks = Sequence[tuple[float, dict[str, float]]]

CHILD_MB = 400.0  # CELERY_WORKER_MAX_MEMORY_PER_CHILD
BROKER_MB = 64.0  # Valkey's auto-aof-rewrite-min-size, at which the log is written anew
# (a share of what is held, and what is always allowed) by the first word of a name.
_NOISE = {
    "MB": (0.10, 5.0),
    "descriptors": (0.05, 3.0),
    "processes": (0.0, 0.9),
    "sessions": (0.10, 2.0),
    "idle in transaction": (0.0, 1.0),
    "temporary files": (0.0, 5.0),
    "files": (0.0, 5.0),
}
# Where vacuum comes by itself: 50 rows and a fifth of the table, and what its nap of a minute adds.
_DEAD = (0.20, 500.0)
_ROWS = (0.05, 100.0)  # PostgreSQL only estimates how many there are
_WORK = (
    "auditlog_logentry",
    "billing_invoice",
    "billing_invoiceitem",
    "billing_balance",
    "documents_document",
    "documents_documentrequest",
    "documents_delivery",
    "documents_notification",
    "django_session",  # a row a sign-in, cleared once it has expired
    "usersessions_usersession",
)
# A child that replaces a first one has, once, what its parent has opened since: eight or nine, of
# which a fitted line makes half as many again.
_INHERITED = 14.0
_POINTS = 60  # of a curve, for who wants to see whether it levels off
_SIZE = (0.25, 512.0)  # kB; a small table is a few pages, and an index splits its own at times


@dataclass(frozen=True)
class Rule:
    what: str
    first: float
    last: float
    grew: float
    may: float
    shown: bool = True
    curve: tuple[float, ...] = ()

    @property
    def is_kept(self) -> bool:
        return self.grew <= self.may

    def told(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "at first": round(self.first, 1),
            "at last": round(self.last, 1),
            "grew": round(self.grew, 1),
            "may": round(self.may, 1),
            "kept": self.is_kept,
            "shown": self.shown,
            "curve": self.curve,
        }


def judged(looks: Looks, warm_up: float) -> list[Rule]:
    """A rule for all that was there at every look after the warm-up."""
    if not looks:
        return []
    begin = looks[0][0] + warm_up * (looks[-1][0] - looks[0][0])
    looks = [(at, held) for at, held in looks if at >= begin]
    names = sorted(set.intersection(*(set(held) for _, held in looks)))
    return [rule for name in names for rule in [_rule(name, looks)] if rule]


def _rule(name: str, looks: Looks) -> Rule | None:
    values = [(at, held[name]) for at, held in looks]
    first, last = values[0][1], values[-1][1]
    kind, _, whose = name.partition(": ")
    if kind == "rows" and whose in _WORK:
        return None
    if kind == "rows":
        may = max(_ROWS[1], _ROWS[0] * first)
        return Rule(name, first, last, climbed(values), may, shown=last > first)
    if kind == "dead rows":
        live = max(held[f"rows: {whose}"] for _, held in looks)
        most = max(value for _, value in values)
        return Rule(name, first, last, most, _DEAD[0] * live + _DEAD[1], shown=most > 100)
    if kind == "kB":
        return _table(whose, looks)
    if kind == "MB at most":
        return Rule(name, first, last, max(value for _, value in values), CHILD_MB)
    if name == "MB: broker's folder":
        return Rule(name, first, last, max(value for _, value in values), BROKER_MB)
    if name == "processes: database":
        return None  # vacuum's and a large query's helpers come and go; sessions are counted
    share, always = _NOISE[kind]
    if kind == "descriptors" and whose.startswith("worker "):
        always += _INHERITED * (looks[0][1][f"processes: {whose}"] - 1)
    curve = tuple(round(value, 1) for _, value in values[:: 1 + len(values) // _POINTS])
    return Rule(name, first, last, climbed(values), max(always, share * first), curve=curve)


def _table(table: str, looks: Looks) -> Rule:
    """kB beyond what the rows that were added account for, at what a row takes in this table."""
    (_, first), (_, last) = looks[0], looks[-1]
    size, rows = f"kB: {table}", f"rows: {table}"
    added = max(0.0, last[rows] - first[rows])
    each = max(last[size] / last[rows] if last[rows] else 0.0, 0.0)
    grew = last[size] - first[size] - added * each
    may = max(_SIZE[1], _SIZE[0] * first[size])
    return Rule(f"kB: {table}", first[size], last[size], grew, may, shown=last[size] > first[size])


def climbed(values: Sequence[tuple[float, float]]) -> float:
    """How far the fitted line climbs from the first look to the last; below 0 where it falls."""
    many = len(values)
    if many < 2:
        return 0.0
    middle = sum(at for at, _ in values) / many
    mean = sum(value for _, value in values) / many
    spread = sum((at - middle) ** 2 for at, _ in values)
    slope = sum((at - middle) * (value - mean) for at, value in values) / spread
    return slope * (values[-1][0] - values[0][0])
