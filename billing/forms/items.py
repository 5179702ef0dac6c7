"""Lines of a document: a formset that is drawn as a table and typed through by keyboard.

    class ChallanItemForm(ItemForm):
        content = ("sku", "description", "quantity", "unit")     # a row without these is blank
        sku = short_text(60) ...

    ChallanItemFormSet = item_formset(ChallanItemForm, ChallanItem)

    lines = ChallanItemFormSet(request.POST, company=company, instance=challan)
    lines.is_valid(); lines.items()         # unsaved ChallanItems, numbered in the order shown

Blank and removed rows are left out. `place` is the order and `remove` takes a row away, both also
without JavaScript; static/js/lines.js does them by keyboard. At most 1,000 lines.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from accounts.models import Company
from billing.forms.shared import NumberField

MOST_LINES = 1000
BLANK_ROWS = 3
_NOT_WHOLE = "The lines did not arrive whole. Load the page again."
_TOO_MANY = f"A document has at most {MOST_LINES:,} lines. Split it into several."


class ItemForm(forms.Form):
    """One line. `content` names the fields that make it more than a blank row."""

    content: ClassVar[Sequence[str]]
    company: Company

    place = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=100_000,
        widget=forms.NumberInput(attrs={"class": "form-control line-place"}),
    )
    remove = forms.BooleanField(
        required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input line-remove"})
    )

    def __init__(self, *args: Any, company: Company, **kwargs: Any) -> None:
        self.company = company
        super().__init__(*args, **kwargs)
        self.empty_permitted, self.use_required_attribute = True, False

    @property
    def is_removed(self) -> bool:
        return bool(self.is_bound and self["remove"].data)

    def has_changed(self) -> bool:
        """A row that is blank or removed counts as not typed at all, so nothing in it is wrong."""
        typed = (name for name in self.content if self[name].data not in (None, ""))
        return not self.is_removed and any(name in self.changed_data for name in typed)

    def facts(self) -> dict[str, Any]:
        """The line's fields by name, as far as they were typed right."""
        unsaid = {"place", "remove"}
        return {name: value for name, value in self.cleaned_data.items() if name not in unsaid}

    def clean(self) -> dict[str, Any]:
        """What was left empty and need not be typed is zero."""
        for name, field in self.fields.items():
            if isinstance(field, NumberField) and self.cleaned_data.get(name, "") is None:
                self.cleaned_data[name] = Decimal(0)
        return self.cleaned_data


class BaseItemFormSet(forms.BaseFormSet[ItemForm]):
    item_model: ClassVar[type[models.Model]]
    default_error_messages = {
        "missing_management_form": _NOT_WHOLE,
        "too_many_forms": _TOO_MANY,
    }

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        company: Company | None = None,
        instance: Any = None,
        prefix: str = "items",
        **kwargs: Any,
    ) -> None:
        company = company or (instance.company if instance is not None else None)
        if data is None and instance is not None and not instance._state.adding:
            kwargs.setdefault("initial", [self._shown(item) for item in instance.items.all()])
        kwargs["form_kwargs"] = {"company": company, **kwargs.get("form_kwargs", {})}
        super().__init__(data, files, prefix=prefix, **kwargs)

    def _shown(self, item: models.Model) -> dict[str, Any]:
        return {name: getattr(item, name) for name in self.form.content}

    def initial_form_count(self) -> int:
        """What was typed is compared with blank rows, not with what the database holds."""
        return 0 if self.is_bound else super().initial_form_count()

    @property
    def empty_form(self) -> ItemForm:
        return self.form(
            prefix=self.add_prefix("__prefix__"), auto_id=self.auto_id, **self.get_form_kwargs(None)
        )

    def clean(self) -> None:
        # Django takes a count below zero for no lines at all, which would lose them silently.
        if (self.management_form.cleaned_data["TOTAL_FORMS"] or 0) < 0:
            raise ValidationError(_NOT_WHOLE)
        if len(self.typed()) > MOST_LINES:
            raise ValidationError(_TOO_MANY, code="too_many_forms")

    def typed(self) -> list[ItemForm]:
        """The rows that hold something, in their order."""
        rows = [form for form in self.forms if form.has_changed()]
        return sorted(rows, key=_place)

    def items(self) -> list[Any]:
        """Unsaved items, numbered from 1. Only for valid rows: others are left out."""
        facts = [form.facts() for form in self.typed() if form.is_valid()]
        return [self.item_model(position=place, **fact) for place, fact in enumerate(facts, 1)]


def _place(form: ItemForm) -> int:
    place = getattr(form, "cleaned_data", {}).get("place")
    return MOST_LINES * 1000 if place is None else int(place)


def item_formset(
    form: type[ItemForm], model: type[models.Model], base: type[BaseItemFormSet] = BaseItemFormSet
) -> type[BaseItemFormSet]:
    made: Any = forms.formset_factory(
        form, formset=base, extra=BLANK_ROWS, max_num=MOST_LINES, absolute_max=2 * MOST_LINES
    )
    made.item_model = model
    made.__name__ = f"{model.__name__}FormSet"
    return made  # type: ignore[no-any-return]
