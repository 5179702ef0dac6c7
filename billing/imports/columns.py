"""Which column of the file holds which field."""

from collections.abc import Mapping, Sequence

FIELDS = (
    "invoice_number",
    "party_code",
    "party_name",
    "country",
    "date",
    "sku",
    "description",
    "quantity",
    "unit_price",
    "tax_rate",
)
REQUIRED = ("invoice_number", "party_code", "date", "quantity", "unit_price")

# Headers that other systems use for these fields, compared without case, spaces and signs.
_ALIASES = {
    "invoice_number": ("invoice", "invoiceno", "invoicenumber", "number", "documentnumber"),
    "party_code": ("customerid", "customercode", "customer", "partycode", "party", "accountcode"),
    "party_name": ("customername", "partyname", "name"),
    "country": ("countrycode",),
    "date": ("invoicedate", "documentdate"),
    "sku": ("stockcode", "itemcode", "productcode", "article"),
    "description": ("item", "itemdescription", "product"),
    "quantity": ("qty",),
    "unit_price": ("price", "unitprice", "rate"),
    "tax_rate": ("vatrate", "taxrate", "vat", "tax", "taxpercent"),
}


class ColumnError(ValueError):
    """The header lacks a required field or is ambiguous, or a mapping names what isn't there."""


def match_columns(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """The place of each field's column: as `chosen` says, else by its name. Raises ColumnError."""
    names = [name.strip() for name in header]
    found: dict[str, int] = {}
    for field in FIELDS:
        name = chosen.get(field) or _by_name(field, names)
        if name is not None:
            found[field] = _place(field, name, names)
    missing = [field for field in REQUIRED if field not in found]
    if missing:
        raise ColumnError(
            f"No column found for {', '.join(missing)}: name it with --column FIELD=HEADER. "
            f"The columns are {', '.join(names)}."
        )
    return found


def _place(field: str, name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise ColumnError(f"{field}: there is no column {name!r}; there are {', '.join(names)}.")
    if names.count(name) > 1:
        raise ColumnError(
            f"{field}: {names.count(name)} columns are called {name!r}; give them different names."
        )
    return names.index(name)


def _by_name(field: str, names: Sequence[str]) -> str | None:
    """The column called like the field, or else by one of its other names."""
    own = {name for name in names if name == field}
    alike = {name for name in names if _plain(name) == _plain(field)}
    other = {name for name in names if _plain(name) in _ALIASES[field]}
    matching = sorted(own or alike or other, key=names.index)
    if len(matching) > 1:
        listed = " or ".join(map(repr, matching))
        raise ColumnError(f"{field}: is it {listed}? Say so with --column {field}=HEADER.")
    return next(iter(matching), None)


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
