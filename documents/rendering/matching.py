"""Which rules hold for an element: asked once for each way to it, then remembered.

The hundred rows of a statement are one way; WeasyPrint alone would match each of their cells anew.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

import cssselect2

HEAD = "head"


class Element(cssselect2.ElementWrapper):  # type: ignore[misc]
    """An element of a paper, which knows by what way it is reached."""

    _ways: ClassVar[dict[tuple[int, str, str | None], int]] = {}

    @cached_property
    def way(self) -> int:
        """The same number for elements of the same name and classes, and so on up to the root.

        There are as many as the templates have, some hundreds in the life of a process.
        """
        above = self.parent.way if self.parent is not None else 0
        node = self.etree_element
        step = (above, node.tag, node.get("class"))
        return self._ways.setdefault(step, len(self._ways) + 1)

    def query_all(self, *names: str) -> "Iterator[Element]":
        """The elements of these names in the head, the one place that a paper has them in.

        WeasyPrint asks it for title, facts and sheets, and would go through all rows for that.
        """
        heads = (child for child in self.iter_children() if child.etree_element.tag == HEAD)
        return (child for head in heads for child in head if child.etree_element.tag in names)


class Matcher(cssselect2.Matcher):  # type: ignore[misc]
    """The rules of a sheet whose selectors look at nothing but the names and classes of a way."""

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[int, list[Any]] = {}

    def match(self, element: Element) -> list[Any]:
        """What `cssselect2.Matcher` finds for it."""
        found = self._found.get(element.way)
        if found is None:
            found = self._found[element.way] = super().match(element)
        return found
