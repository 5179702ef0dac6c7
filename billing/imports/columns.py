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
    """The file's header lacks a required field, or a mapping names what isn't there."""


def match_columns(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """The place of each field's column: as `chosen` says, else by its name. Raises ColumnError."""
    places = {name.strip(): place for place, name in enumerate(header)}
    found: dict[str, int] = {}
    for field in FIELDS:
        name = chosen.get(field) or _by_name(field, places)
        if name is None:
            continue
        if name not in places:
            raise ColumnError(
                f"{field}: there is no column {name!r}; there are {', '.join(places)}."
            )
        found[field] = places[name]
    missing = [field for field in REQUIRED if field not in found]
    if missing:
        raise ColumnError(
            f"No column found for {', '.join(missing)}: name it with --column FIELD=HEADER. "
            f"The columns are {', '.join(places)}."
        )
    return found


def _by_name(field: str, places: Mapping[str, int]) -> str | None:
    wanted = {_plain(field), *_ALIASES[field]}
    return next((name for name in places if _plain(name) in wanted), None)


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
