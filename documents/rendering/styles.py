"""Computed styles without detours: most properties of an element are its parent's, or initial.

WeasyPrint asks of each property of each element whether it is declared, logical, a sum or a
variable. For those that nothing declares the answer is known beforehand.
"""

from typing import Any

from weasyprint import css
from weasyprint.css.computed_values import PHYSICAL_FUNCTIONS
from weasyprint.css.properties import INHERITED, INITIAL_NOT_COMPUTED, INITIAL_VALUES

# What WeasyPrint computes from others even where nothing is declared.
_OWN_WAYS = {"page", "position", "float", *INITIAL_NOT_COMPUTED}


def _is_plain(name: str) -> bool:
    return name not in _OWN_WAYS and not name.startswith("text_decoration_")


_FROM_PARENT = frozenset(filter(_is_plain, INHERITED))
_INITIAL = {
    name: value
    for name, value in INITIAL_VALUES.items()
    if name not in INHERITED and _is_plain(name)
}


class ComputedStyle(css.ComputedStyle):  # type: ignore[misc]
    """WeasyPrint's, which is asked only for what is declared or has a way of its own."""

    def __init__(self, parent_style: Any, cascaded: dict[str, Any], *others: Any) -> None:
        super().__init__(parent_style, cascaded, *others)
        self._is_logical = any("inline" in name or "block" in name for name in cascaded)

    def __missing__(self, name: str) -> Any:
        if name not in self.cascaded and not (self._is_logical and name in PHYSICAL_FUNCTIONS):
            if name in _INITIAL:
                value = self[name] = _INITIAL[name]
                return value
            if name in _FROM_PARENT and self.parent_style is not None:
                value = self[name] = self.parent_style[name]
                return value
        return super().__missing__(name)


def use_quick_styles() -> None:
    """From now on, in this process."""
    css.ComputedStyle = ComputedStyle
