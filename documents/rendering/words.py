"""Amounts in words, in the languages whose grammar is known here; elsewhere nothing."""

from babel.numbers import get_currency_name, get_currency_precision
from num2words import num2words

from documents.formatting import parse_locale

# One of the hundredth part, and several. A currency that is not here has a fraction: 18/100.
PARTS = {
    "en": {
        "AUD": ("cent", "cents"),
        "BDT": ("poisha", "poisha"),
        "CAD": ("cent", "cents"),
        "EUR": ("cent", "cents"),
        "GBP": ("penny", "pence"),
        "INR": ("paisa", "paise"),
        "NZD": ("cent", "cents"),
        "USD": ("cent", "cents"),
    },
    "de": {
        "CHF": ("Rappen", "Rappen"),
        "EUR": ("Cent", "Cent"),
        "USD": ("Cent", "Cent"),
    },
}
# Of these "ein" is right; of a Krone or Rupie it would be "eine".
NOT_FEMININE = frozenset(
    {"AUD", "BHD", "CAD", "CHF", "CNY", "EUR", "GBP", "HKD", "JPY", "KWD", "NZD", "SGD", "USD"}
)
AND = {"en": "and", "de": "und"}


def amount_in_words(value: str, currency: str, locale: str) -> str:
    """`"156.18"` in GBP: `One hundred and fifty-six British pounds and eighteen pence`.

    "" where it can't be said rightly: another language, a negative or a vast amount.
    """
    found = parse_locale(locale)
    language = str(found.language)
    whole, _, fraction = value.partition(".")
    digits = int(get_currency_precision(currency))
    if language not in AND or value.startswith("-") or len(fraction.rstrip("0")) > digits:
        return ""
    lakhs = found.decimal_formats[None].grouping == (3, 2)
    said = _cardinal(int(whole), f"{language}_IN" if language == "en" and lakhs else language)
    if not said or (_ends_in_one(said) and currency not in NOT_FEMININE):
        return ""
    name = get_currency_name(currency, int(whole), locale=found)
    if name == currency:
        return ""
    rest = _part(fraction.ljust(digits, "0")[:digits], currency, language)
    text = f"{_before_noun(said)} {name}" + (f" {AND[language]} {rest}" if rest else "")
    return text[0].upper() + text[1:]


def _cardinal(number: int, language: str) -> str:
    """`1234` for en: `one thousand two hundred and thirty-four`; "" if it is too large."""
    if number >= 10**12:
        return ""
    try:
        return str(num2words(number, lang=language)).replace(",", "")
    except OverflowError:
        return ""


def _part(fraction: str, currency: str, language: str) -> str:
    """The hundredths in words, or as a fraction; nothing if there are none."""
    if not fraction.strip("0"):
        return ""
    names = PARTS[language].get(currency)
    if names is None:
        return f"{fraction}/1{'0' * len(fraction)}"
    count = int(fraction)
    return f"{_before_noun(_cardinal(count, language))} {names[count != 1]}"


def _ends_in_one(said: str) -> bool:
    return said.endswith("eins")


def _before_noun(said: str) -> str:
    """German counts `eins`, but has `ein Euro`, `einhundertein Euro`."""
    return said[:-1] if _ends_in_one(said) else said
