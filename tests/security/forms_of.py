"""The forms that a page shows, as a browser would send them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_FIELDS = ("input", "select", "textarea", "button")


@dataclass
class Form:
    """`fields`: what would be sent; `ids`: those of them that take the id of a row."""

    method: str
    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    def send(self, name: str, value: str) -> dict[str, list[str]]:
        return {**self.fields, name: [value]}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.by_id: dict[str, Form] = {}
        self.select = ""
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            form = Form(given.get("method", "get").lower(), given.get("action", ""))
            self.forms.append(form)
            self.by_id[given.get("id", "")] = form
            self.inside = True
        elif tag == "option" and self.select and "selected" in given:
            self._form(self.owner).fields.setdefault(self.select, []).append(given.get("value", ""))
        elif tag in _FIELDS and given.get("name"):
            self._note(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag == "select":
            self.select = ""

    def _form(self, owner: str) -> Form:
        known = self.by_id.get(owner) if owner else None
        return known or (self.forms[-1] if self.forms else Form("get", ""))

    def _note(self, tag: str, given: dict[str, str]) -> None:
        name, self.owner = given["name"], given.get("form", "")
        form, kind = self._form(self.owner), given.get("type", "")
        value = given.get("value", "")
        if tag == "select":
            self.select = name
            form.fields.setdefault(name, [])
            form.ids.add(name)
        elif kind in ("checkbox", "radio"):
            if "checked" in given:
                form.fields.setdefault(name, []).append(value or "on")
        else:
            form.fields[name] = [value]
        if kind == "hidden" or re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", value):
            form.ids.add(name)


def forms_of(page: Any) -> Iterator[Form]:
    reader = _Reader()
    reader.feed(page)
    for form in reader.forms:
        form.fields.pop("csrfmiddlewaretoken", None)
        form.ids.discard("csrfmiddlewaretoken")
        yield form
