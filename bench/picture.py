"""A growth curve as SVG, drawn by hand: three points on two scales of tens need no library."""

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10

_WIDTH, _HEIGHT = 460, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 40, 46
_INK, _FAINT, _LINE, _IDEAL = "#1c2733", "#d5dbe2", "#16395f", "#9aa7b5"

Points = Sequence[tuple[float, float]]


class Scale:
    """From a power of ten to another, along so many dots."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.first, self.last = floor(log10(min(values))), ceil(log10(max(values)))
        self.last = max(self.last, self.first + 1)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        part = (log10(value) - self.first) / (self.last - self.first)
        return round(self._start + part * (self._end - self._start), 1)

    def tens(self) -> Iterator[float]:
        return (10.0**power for power in range(self.first, self.last + 1))


def picture(name: str, x: str, y: str, points: Points, works: bool) -> str:
    """`works`: a dashed line shows what growing exactly with the work would be."""
    ideal = _ideal(points, works)
    both = [*points, *ideal]
    across = Scale([point[0] for point in both], _LEFT, _WIDTH - _RIGHT)
    up = Scale([point[1] for point in both], _HEIGHT - _BOTTOM, _TOP)
    parts = [*_frame(name, x, y), *_grid(across, up)]
    parts.append(_path(ideal, across, up, f'stroke="{_IDEAL}" stroke-dasharray="5 4"'))
    parts.append(_path(points, across, up, f'stroke="{_LINE}" stroke-width="2"'))
    parts += [_dot(point, across, up) for point in points]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="11" fill="{_INK}" role="img">\n{body}\n</svg>\n'
    )


def _ideal(points: Points, works: bool) -> Points:
    (x1, y1), (x2, _) = points[0], points[-1]
    return [(x1, y1), (x2, y1 * x2 / x1 if works else y1)]


def _frame(name: str, x: str, y: str) -> list[str]:
    title = escape(name)
    return [
        f"<title>{title}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-size="13" font-weight="bold">{title}</text>',
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 8}" text-anchor="end">{escape(x)}</text>',
        f'<text x="{_LEFT}" y="33" fill="#5b6673">{escape(y)}; dashed: as the work grows</text>',
    ]


def _grid(across: Scale, up: Scale) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for value in across.tens():
        place = across.at(value)
        yield f'<path d="M{place} {_TOP}V{bottom}" stroke="{_FAINT}"/>'
        yield f'<text x="{place}" y="{bottom + 16}" text-anchor="middle">{value:,.0f}</text>'
    for value in up.tens():
        place = up.at(value)
        yield f'<path d="M{_LEFT} {place}H{right}" stroke="{_FAINT}"/>'
        yield f'<text x="{_LEFT - 6}" y="{place + 4}" text-anchor="end">{value:g}</text>'


def _path(points: Points, across: Scale, up: Scale, look: str) -> str:
    steps = "L".join(f"{across.at(x)} {up.at(y)}" for x, y in points)
    return f'<path d="M{steps}" fill="none" {look}/>'


def _dot(point: tuple[float, float], across: Scale, up: Scale) -> str:
    x, y = point
    place = across.at(x), up.at(y)
    return (
        f'<circle cx="{place[0]}" cy="{place[1]}" r="3.5" fill="{_LINE}"/>'
        f'<text x="{place[0] - 6}" y="{place[1] - 7}" text-anchor="end">{y:.3g}</text>'
    )
