"""The address at which an invoice is paid, from a pattern of the company's."""

import re
from urllib.parse import quote, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

PLACES = ("{number}", "{amount}", "{currency}")
_is_https = URLValidator(schemes=["https"], message="Write a whole address, with https:// first.")


def validate_payment_url_pattern(pattern: str) -> None:
    """An https address that names the invoice by `{number}`; its host holds no place."""
    others = [place for place in re.findall(r"{[^{}]*}?|}", pattern) if place not in PLACES]
    if others:
        raise ValidationError(f"{others[0][:20]} is unknown: there are {', '.join(PLACES)}.")
    _is_https(fill_payment_url(pattern, number="1", amount="1", currency="EUR"))
    if "{" in urlsplit(pattern).netloc:
        raise ValidationError("The host must be the same for every invoice.")
    if "{number}" not in pattern:
        raise ValidationError("Without {number} nobody could tell which invoice is paid.")


def fill_payment_url(pattern: str, *, number: str, amount: str, currency: str) -> str:
    """`pattern` with an invoice's facts in their places, each quoted."""
    for place, value in zip(PLACES, (number, amount, currency), strict=True):
        pattern = pattern.replace(place, quote(value, safe=""))
    return pattern
